"""Random numbers as a pure function of (seed, step, stream) and the sample's place in the batch.

No random state has to be saved to resume a run, and a batch split over several processes gets the
numbers that the undivided batch would have had.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Rows", "StepRandom", "derive_seed"]


@dataclass(frozen=True)
class Rows:
    """Some samples of a global batch, by their places in it."""

    indices: Tensor
    """int64 [n] on the CPU, each in [0, total)."""
    total: int
    """Samples of the global batch."""

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def share(self) -> float:
        """Of the global batch, 0 to 1: the weight of a mean over these rows."""
        return len(self.indices) / self.total


def derive_seed(*parts: int | str) -> int:
    """Mix `parts` into one 63-bit seed; equal parts give equal seeds on every machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class StepRandom:
    """Draws for one step of one stream, for some samples of the global batch.

    Every draw makes the numbers of the whole global batch and returns those of this process's
    samples, so results don't depend on how the batch is divided. The samples are rows `rank * n` to
    `(rank + 1) * n`, or the ones that `rows` names.

    Args:
        seed: the run's seed.
        step: the optimisation step, counted from 0.
        stream: a name that separates independent uses ("latents", "augment-real", ...).
        rank: index of this process.
        world_size: number of processes.
        device: where the numbers are drawn and returned.
        rows: samples to draw for; then all draws are for so many, and rank and world_size don't
            count.
    """

    def __init__(
        self,
        seed: int,
        step: int = 0,
        *,
        stream: str = "",
        rank: int = 0,
        world_size: int = 1,
        device: torch.device | str = "cpu",
        rows: Rows | None = None,
    ) -> None:
        self.rank = rank
        self.world_size = world_size
        self.device = torch.device(device)
        self._generator = torch.Generator(self.device)
        self._generator.manual_seed(derive_seed(seed, step, stream))
        self._rows = rows
        self._indices = None if rows is None else rows.indices.to(self.device)

    def normal(self, n: int, *shape: int) -> Tensor:
        """Standard normal numbers, float32 [n, *shape], for this process's `n` samples."""
        drawn = torch.randn(self._total(n), *shape, generator=self._generator, device=self.device)
        return self._own_rows(drawn, n)

    def uniform(self, n: int, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform numbers in [low, high), float32 [n, *shape]."""
        drawn = torch.rand(self._total(n), *shape, generator=self._generator, device=self.device)
        return self._own_rows(drawn, n) * (high - low) + low

    def integers(self, n: int, *shape: int, high: int) -> Tensor:
        """Uniform integers in [0, high), int64 [n, *shape]."""
        size = (self._total(n), *shape)
        drawn = torch.randint(high, size, generator=self._generator, device=self.device)
        return self._own_rows(drawn, n)

    def _total(self, n: int) -> int:
        if self._rows is None:
            return n * self.world_size
        if n != len(self._rows):
            raise ValueError(f"a draw for {n} samples, but rows names {len(self._rows)}")
        return self._rows.total

    def _own_rows(self, drawn: Tensor, n: int) -> Tensor:
        if self._indices is not None:
            return drawn[self._indices]
        return drawn[self.rank * n : (self.rank + 1) * n]
