"""The multi-layer perceptrons between a backbone and a loss; evaluation drops them."""

from torch import nn

__all__ = ["hidden_layers", "projector", "simsiam_predictor", "simsiam_projector"]


def hidden_layers(dim: int, count: int, in_dim: int | None = None) -> list[nn.Module]:
    """Build `count` times [Linear without bias, batch norm, ReLU], `dim` wide.

    Args:
        dim: width.
        count: how many of them.
        in_dim: width of what the first one gets; None: `dim`.
    """
    modules: list[nn.Module] = []
    for width in [in_dim or dim, *[dim] * (count - 1)][:count]:
        modules += [nn.Linear(width, dim, bias=False), nn.BatchNorm1d(dim), nn.ReLU(inplace=True)]
    return modules


def projector(
    in_dim: int, out_dim: int, layers: int, hidden_dim: int | None = None, *, bias: bool = False
) -> nn.Sequential:
    """Build the student's projector (arXiv 2211.03000; VICReg's too).

    Args:
        in_dim: width of the backbone's features.
        out_dim: width of the embedding.
        layers: number of linear layers, at least 1.
        hidden_dim: width of the hidden layers; None: `in_dim`.
        bias: whether the last layer has one.

    Returns:
        [Linear without bias, batch norm, ReLU] x (layers - 1) and a Linear;
        float [B, in_dim] to [B, out_dim].
    """
    width = hidden_dim or in_dim
    # In this order, which decides on the first weights that a seed gives.
    hidden = hidden_layers(width, layers - 1, in_dim)
    last = nn.Linear(width if layers > 1 else in_dim, out_dim, bias=bias)
    return nn.Sequential(*hidden, last)


def simsiam_projector(
    in_dim: int, out_dim: int, layers: int, hidden_dim: int | None = None
) -> nn.Sequential:
    """Build SimSiam's projector, whose output is normalized too (arXiv 2011.10566, Section 3).

    Args:
        in_dim: width of the backbone's features.
        out_dim: width of the embedding.
        layers: number of linear layers, at least 1; 2 for CIFAR, 3 for larger images.
        hidden_dim: width of the hidden layers; None: `in_dim`, as in SimSiam's released code.

    Returns:
        `projector` and a batch norm without scale and offset; float [B, in_dim] to [B, out_dim].
    """
    whole = projector(in_dim, out_dim, layers, hidden_dim)
    return nn.Sequential(*whole, nn.BatchNorm1d(out_dim, affine=False))


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
