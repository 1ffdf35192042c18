"""EMP-SSL's terms beside the authors' values.

The figures are what the authors' released code (github.com/tsb0601/EMP-SSL, commit 8fc3758:
`TotalCodingRate` with eps 0.2, `cal_TCR`, `Similarity_Loss`) gave in float64 for these inputs.
"""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from squeezespan.losses.emp_ssl import coding_rate, patch_similarity

FEW_IMAGES, MANY_IMAGES = (5, 12, 16), (4, 24, 6)


def raw_embeddings(patches: int, images: int, dims: int) -> Tensor:
    """Embeddings before they are normalized, patch by patch, float64 [patches * images, dims]."""
    row = torch.arange(patches * images, dtype=torch.float64)[:, None]
    column = torch.arange(dims, dtype=torch.float64)
    return torch.sin(1 + 0.7 * row + 1.3 * column + 0.11 * row * column)


@pytest.mark.parametrize(
    ("sizes", "similarity", "rate", "loss", "gradient", "entry"),
    [
        (
            FEW_IMAGES,
            0.43141872592287955,
            8.810987357499815,
            -95.09473254207572,
            8.23952657148083,
            -0.014439859524877734,
        ),
        (
            MANY_IMAGES,
            0.49523229191958956,
            4.892224398807537,
            -103.93868278272545,
            10.419692042869853,
            0.16043934619664044,
        ),
    ],
)
def test_values_and_gradients_are_the_authors(
    sizes: tuple[int, int, int],
    similarity: float,
    rate: float,
    loss: float,
    gradient: float,
    entry: float,
) -> None:
    raw = raw_embeddings(*sizes).requires_grad_()
    z = F.normalize(raw, dim=1).view(sizes)
    found = patch_similarity(z), coding_rate(z, eps=0.2)
    assert found[0].item() == pytest.approx(similarity, rel=1e-12)
    assert found[1].item() == pytest.approx(rate, rel=1e-12)
    whole = -200 * found[0] - found[1]
    assert whole.item() == pytest.approx(loss, rel=1e-12)
    (slope,) = torch.autograd.grad(whole, raw)
    assert float(slope.norm()) == pytest.approx(gradient, rel=1e-9)
    assert float(slope[3, 2]) == pytest.approx(entry, rel=1e-9)


@pytest.mark.parametrize("sizes", [FEW_IMAGES, MANY_IMAGES])
def test_the_coding_rate_is_the_papers_equation(sizes: tuple[int, int, int]) -> None:
    z = raw_embeddings(*sizes).view(sizes)
    _, images, dims = sizes
    expected = [
        np.linalg.slogdet(np.eye(dims) + dims / (images * 0.3) * one.T @ one)[1] / 2
        for one in z.numpy()
    ]
    assert float(coding_rate(z, eps=0.3)) == pytest.approx(np.mean(expected), rel=1e-12)


def test_what_is_not_finite_gives_a_loss_that_is_not() -> None:
    z = raw_embeddings(*FEW_IMAGES).view(FEW_IMAGES).clone()
    z[2, 3, 4] = math.nan
    assert math.isnan(coding_rate(z, eps=0.2))
    assert math.isnan(patch_similarity(z))


def test_half_precision_inside_autocast_loses_nothing() -> None:
    z = raw_embeddings(*FEW_IMAGES).view(FEW_IMAGES).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        inside = coding_rate(z, eps=0.2), patch_similarity(z)
    outside = coding_rate(z.float(), eps=0.2), patch_similarity(z.float())
    assert inside == outside
    assert {term.dtype for term in inside} == {torch.float32}
