"""Weights, images and random numbers by formula, so that two programs get the same without a file.

NumPy promises that `RandomState` gives the same numbers for ever.
"""

import copy
import math
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from squeezespan.randomness import Rows, StepRandom, derive_seed

__all__ = [
    "BATCH",
    "CASES",
    "EMA_KIMG",
    "EPS",
    "JUDGED",
    "RATE",
    "STEPS",
    "Case",
    "FormulaRandom",
    "copy_of",
    "fill",
    "images",
    "labels",
    "some",
]

BATCH = 3
STEPS = 2
RATE = 1e-4
EPS = 1e-3
"""Of Adam, in the place of the published 1e-8: so that the sign of a gradient that is nearly 0 does
not decide on a whole update."""
EMA_KIMG = 0.01
_PLACES = 60


@dataclass(frozen=True)
class Case:
    """One training whose numbers are compared."""

    family: str
    resolution: int
    classes: int
    separable: bool


CASES = {
    "stylegan2": Case("stylegan2", 32, 0, separable=True),
    "fastgan-conditional": Case("fastgan", 128, 5, separable=False),
    "fastgan-lite": Case("fastgan-lite", 128, 0, separable=False),
}
JUDGED = {**CASES, "not-enlarged": Case("", 256, 0, separable=True)}
"""Those, and one of which only the judgements are compared."""


class FormulaRandom(StepRandom):
    """Numbers that follow from seed, step, stream and how many draws there were before."""

    def __init__(
        self,
        seed: int,
        step: int = 0,
        *,
        stream: str = "",
        device: torch.device | str = "cpu",
        rows: Rows | None = None,
    ) -> None:
        # Of the whole batch in its order: there is no other process.
        assert rows is None or rows.indices.tolist() == list(range(rows.total))
        super().__init__(seed, step, stream=stream, device=device)
        self._parts = (seed, step, stream)
        self._draws = 0

    def normal(self, n: int, *shape: int) -> Tensor:
        """Standard normal."""
        return torch.from_numpy(self._next().standard_normal((n, *shape))).float()

    def uniform(self, n: int, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform in [low, high)."""
        drawn = torch.from_numpy(self._next().random_sample((n, *shape))).float()
        return drawn * (high - low) + low

    def integers(self, n: int, *shape: int, high: int) -> Tensor:
        """Whole numbers in [0, high)."""
        return torch.from_numpy(self._next().randint(0, high, (n, *shape))).long()

    def _next(self) -> np.random.RandomState:
        self._draws += 1
        return np.random.RandomState(derive_seed(*self._parts, self._draws) % 2**32)


@torch.no_grad()
def fill(name: str, tensor: Tensor) -> None:
    """Give a weight or buffer the numbers that follow from its name."""
    kind = name.rpartition(".")[2]
    if kind in ("num_batches_tracked", "resample_filter", "w_avg"):
        return
    if kind in ("running_mean", "stored_mean"):
        tensor.zero_()
        return
    if kind in ("running_var", "stored_var"):
        tensor.fill_(1)
        return
    random = np.random.RandomState(zlib.crc32(name.encode()))
    drawn = torch.from_numpy(random.standard_normal(tuple(tensor.shape))).float()
    if kind in ("weight_u", "weight_v"):
        drawn = drawn / drawn.norm()
    elif "mapping.fc" in name:
        # Stored weights of layers with a learning rate of a hundredth.
        drawn *= 100
    elif tensor.ndim < 2:
        centre = 1.0 if "affine.bias" in name or (kind == "weight" and tensor.numel() > 1) else 0.0
        drawn = centre + 0.1 * drawn
    elif name.startswith(("mixing", "heads")) or kind == "weight_orig":
        drawn *= 1 / math.sqrt(math.prod(tensor.shape[1:]))
    tensor.copy_(drawn)


def images(resolution: int, number: int = 0) -> Tensor:
    """Images of a batch, float32 [BATCH, 3, R, R] in [-1, 1], smooth with some noise."""
    random = np.random.RandomState(7 + number)
    coarse = torch.from_numpy(random.standard_normal((BATCH, 3, 5, 5))).float()
    smooth = nn.functional.interpolate(coarse, resolution, mode="bilinear", align_corners=True)
    fine = torch.from_numpy(random.standard_normal((BATCH, 3, resolution, resolution))).float()
    return (0.5 * smooth + 0.1 * fine).clamp(-1, 1)


def labels(classes: int) -> Tensor | None:
    """Class indices of a batch."""
    return torch.arange(BATCH) * 2 % classes if classes else None


def some(x: Tensor) -> Tensor:
    """Its numbers at some places, with its mean and largest magnitude before them."""
    places = np.random.RandomState(x.numel() % 2**31).randint(0, x.numel(), _PLACES)
    flat = x.reshape(-1)
    return torch.cat([flat.mean()[None], flat.abs().max()[None], flat[torch.from_numpy(places)]])


def copy_of(network: nn.Module) -> nn.Module:
    """An independent copy."""
    return copy.deepcopy(network)
