"""Random numbers as a pure function of (seed, step, stream) and the sample's place in the batch.

No random state has to be saved to resume a run, and a batch split over several processes gets the
numbers that the undivided batch would have had.
"""

import hashlib

import torch
from torch import Tensor

__all__ = ["StepRandom", "derive_seed"]


def derive_seed(*parts: int | str) -> int:
    """Mix `parts` into one 63-bit seed; equal parts give equal seeds on every machine."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class StepRandom:
    """Draws for one step of one stream, sliced to this process's share of the global batch.

    Every draw makes the numbers of the whole global batch and returns rows
    `rank * n` to `(rank + 1) * n`, so results don't depend on the number of processes.

    Args:
        seed: the run's seed.
        step: the optimisation step, counted from 0.
        stream: a name that separates independent uses ("latents", "augment-real", ...).
        rank: index of this process.
        world_size: number of processes.
        device: where the numbers are drawn and returned.
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
    ) -> None:
        self.rank = rank
        self.world_size = world_size
        self.device = torch.device(device)
        self._generator = torch.Generator(self.device)
        self._generator.manual_seed(derive_seed(seed, step, stream))

    def normal(self, n: int, *shape: int) -> Tensor:
        """Standard normal numbers, float32 [n, *shape], for this process's `n` samples."""
        drawn = torch.randn(
            n * self.world_size, *shape, generator=self._generator, device=self.device
        )
        return self._own_rows(drawn, n)

    def uniform(self, n: int, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform numbers in [low, high), float32 [n, *shape]."""
        drawn = torch.rand(
            n * self.world_size, *shape, generator=self._generator, device=self.device
        )
        return self._own_rows(drawn, n) * (high - low) + low

    def integers(self, n: int, *shape: int, high: int) -> Tensor:
        """Uniform integers in [0, high), int64 [n, *shape]."""
        size = (n * self.world_size, *shape)
        drawn = torch.randint(high, size, generator=self._generator, device=self.device)
        return self._own_rows(drawn, n)

    def _own_rows(self, drawn: Tensor, n: int) -> Tensor:
        return drawn[self.rank * n : (self.rank + 1) * n]
