"""The multi-layer perceptrons between a backbone and a loss; evaluation drops them."""

from torch import nn

__all__ = ["hidden_layers", "projector", "simsiam_predictor", "simsiam_projector"]


def hidden_layers(dim: int, count: int) -> list[nn.Module]:
    """Build `count` times [Linear without bias, batch norm, ReLU], all `dim` wide."""
    modules: list[nn.Module] = []
    for _ in range(count):
        modules += [nn.Linear(dim, dim, bias=False), nn.BatchNorm1d(dim), nn.ReLU(inplace=True)]
    return modules


def projector(in_dim: int, out_dim: int, layers: int) -> nn.Sequential:
    """Build the student's projector (arXiv 2211.03000; VICReg's too).

    Args:
        in_dim: width of the backbone's features and of the hidden layers.
        out_dim: width of the embedding.
        layers: number of linear layers, at least 1.

    Returns:
        [Linear without bias, batch norm, ReLU] x (layers - 1) and a Linear without bias;
        float [B, in_dim] to [B, out_dim].
    """
    return nn.Sequential(*hidden_layers(in_dim, layers - 1), nn.Linear(in_dim, out_dim, bias=False))


def simsiam_projector(in_dim: int, out_dim: int, layers: int) -> nn.Sequential:
    """Build SimSiam's projector, whose output is normalized too (arXiv 2011.10566, Section 3).

    The hidden layers are as wide as the backbone's features, as in SimSiam's released code.

    Args:
        in_dim: width of the backbone's features.
        out_dim: width of the embedding.
        layers: number of linear layers, at least 1; 2 for CIFAR, 3 for larger images.

    Returns:
        `projector` and a batch norm without scale and offset; float [B, in_dim] to [B, out_dim].
    """
    return nn.Sequential(*projector(in_dim, out_dim, layers), nn.BatchNorm1d(out_dim, affine=False))


def simsiam_predictor(dim: int, hidden_dim: int) -> nn.Sequential:
    """Build SimSiam's predictor, a bottleneck (arXiv 2011.10566, Section 3).

    Args:
        dim: width of the embedding.
        hidden_dim: width of the bottleneck.

    Returns:
        Linear without bias, batch norm, ReLU, Linear; float [B, dim] to [B, dim].
    """
    return nn.Sequential(
        nn.Linear(dim, hidden_dim, bias=False),
        nn.BatchNorm1d(hidden_dim),
        nn.ReLU(inplace=True),
        nn.Linear(hidden_dim, dim),
    )
