"""The layers of the projectors, as the papers write them."""

import torch
from torch import nn

from squeezespan.models.projectors import projector, simsiam_predictor, simsiam_projector


def kinds(module: nn.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in module]


def test_the_students_projector_is_as_wide_as_the_backbone() -> None:
    built = projector(12, 20, 5)
    assert kinds(built) == ["Linear", "BatchNorm1d", "ReLU"] * 4 + ["Linear"]
    linears = [layer for layer in built if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in linears] == [(12, 12)] * 4 + [(20, 12)]
    assert all(layer.bias is None for layer in linears)


def test_simsiams_embedding_is_normalized() -> None:
    built = simsiam_projector(12, 20, 2)
    assert kinds(built) == ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d"]
    z = built(torch.randn(64, 12))
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(20), rtol=0, atol=1e-5)
    torch.testing.assert_close(z.std(dim=0, correction=0), torch.ones(20), rtol=0, atol=1e-2)


def test_simsiams_predictor_is_a_bottleneck() -> None:
    built = simsiam_predictor(20, 5)
    assert kinds(built) == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert built(torch.randn(4, 20)).shape == (4, 20)
    assert built[0].out_features == 5


def test_a_seed_draws_the_layers_one_after_the_other() -> None:
    """As ever, so that a run with the same seed begins with the same weights."""
    torch.manual_seed(0)
    expected = [
        nn.Linear(6, 6, bias=False),
        nn.Linear(6, 6, bias=False),
        nn.Linear(6, 4, bias=False),
    ]
    torch.manual_seed(0)
    found = [layer for layer in projector(6, 4, 3) if isinstance(layer, nn.Linear)]
    assert all(a.weight.equal(b.weight) for a, b in zip(found, expected, strict=True))
