"""Linear CKA between layers, by the unbiased estimator over batches of images.

Of every batch the unbiased HSIC of all pairs of layers is kept (Song et al. 2012, HSIC_1); CKA is
the ratio of their means over the batches (Nguyen et al. 2021, equations 2 and 3), which no batch
size biases. Batches are independent draws of images, so that drawing batches with replacement
tells how much other images would change the figures.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from squeezespan.evaluation.analysis_options import LEAST_IMAGES
from squeezespan.randomness import derive_seed

__all__ = ["bootstrap_cka", "cka", "pairs", "unbiased_hsic"]

_ROUNDING = 1e-6
"""A layer that varies by less of its size is constant: float32 has no more digits."""


class Pairs(NamedTuple):
    """Which pairs of layers are meant, each once and none with itself."""

    rows: Tensor
    """int64 [P]."""
    columns: Tensor
    """int64 [P]."""


def unbiased_hsic(features: Sequence[Tensor]) -> Tensor:
    """Give the unbiased HSIC with linear kernels of every two layers on one batch.

    It is the inner product of the layers' U-centred Gram matrices (Székely and Rizzo 2014), which
    equals HSIC_1 of Song et al. 2012 and, unlike the biased form, does not grow with the width.

    Args:
        features: of every layer, float [n, C] of the same n images, n at least 4; C may differ.

    Returns:
        float64 [L, L] on the features' device.
    """
    n = len(features[0])
    if n < LEAST_IMAGES:
        raise ValueError(f"the unbiased HSIC needs {LEAST_IMAGES} images, not {n}")
    flat = torch.stack([_u_centred_gram(x.double()).flatten() for x in features])
    return flat @ flat.T / (n * (n - 3))


def cka(hsics: Tensor) -> Tensor:
    """Give the CKA of every two layers.

    Args:
        hsics: what `unbiased_hsic` gave for each batch of one size, [..., B, L, L].

    Returns:
        float64 [..., L, L], 1 on the diagonal, at most about 1 elsewhere and, being unbiased,
        slightly below 0 for unrelated layers; nan for a layer that is constant over the images.
    """
    mean = hsics.mean(dim=-3)
    own = mean.diagonal(dim1=-2, dim2=-1)
    return mean / (own[..., :, None] * own[..., None, :]).sqrt()


def bootstrap_cka(hsics: Tensor, draws: int, seed: int) -> Tensor:
    """Give the CKA of batches that are drawn with replacement.

    Args:
        hsics: [B, L, L] as for `cka`, B at least 2.
        draws: number of them.
        seed: of the draws.

    Returns:
        float64 [draws, L, L] on the CPU.
    """
    batches = len(hsics)
    generator = torch.Generator().manual_seed(derive_seed(seed, "bootstrap-cka"))
    drawn = torch.randint(batches, (draws, batches), generator=generator)
    weights = torch.zeros(draws, batches, dtype=torch.float64)
    weights.scatter_add_(1, drawn, torch.ones_like(weights))
    # Sums do for means: CKA is a ratio.
    sums = weights @ hsics.cpu().flatten(1)
    return cka(sums.view(draws, 1, *hsics.shape[1:]))


def pairs(layers: Sequence[int]) -> Pairs:
    """Give every two different layers of these, by their places."""
    places = torch.as_tensor(layers)
    first, second = torch.triu_indices(len(places), len(places), offset=1)
    return Pairs(places[first], places[second])


def _u_centred_gram(x: Tensor) -> Tensor:
    """The U-centred Gram matrix of features [n, C], [n, n] with a zero diagonal."""
    n, largest = len(x), x.abs().amax()
    # Shifts cancel in the result; without them fewer digits are lost.
    x = x - x.mean(dim=0)
    if x.abs().amax() <= _ROUNDING * largest:
        return x.new_zeros(n, n)
    gram = (x @ x.T).fill_diagonal_(0)
    rows = gram.sum(dim=1) / (n - 2)
    gram = gram - rows[:, None] - rows[None, :] + rows.sum() / (n - 1)
    return gram.fill_diagonal_(0)
