"""Generated images that serve in several steps, each time in other views."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import Tensor

from squeezespan.data.pixels import unit_to_uint8

__all__ = ["Drawn", "Pool", "pool_steps"]

_BYTES = 1 << 30
"""Of pixels that a pool may hold, over all processes."""
_MOST_STEPS = 64


@dataclass(frozen=True)
class Drawn:
    """What a generator drew for one process's share of a step."""

    images: Tensor
    """[n, 3, R, R], floating point in [0, 1] or uint8."""
    near: Tensor | None
    """Images made nearby, of which the last view is, where that is asked for."""
    source: dict[str, Tensor] | None
    """What the generator knows of the images."""

    def viewed(self, views: int) -> list[Tensor]:
        """Give the images that each of so many views is of."""
        return [self.images] * (views - 1) + [self.images if self.near is None else self.near]

    def in_8_bits(self) -> "Drawn":
        """Give the same as a file would hold it, in a quarter of the memory."""
        near = None if self.near is None else unit_to_uint8(self.near)
        return replace(self, images=unit_to_uint8(self.images), near=near)


def pool_steps(images: int, resolution: int) -> int:
    """Give how many steps' images a pool holds.

    Args:
        images: that all processes draw in one step.
        resolution: of the generator.
    """
    return max(1, min(_MOST_STEPS, _BYTES // (images * 3 * resolution**2)))


@dataclass
class Pool:
    """Keeps what was drawn for some steps until each of it has served as often as it is to.

    Steps come in periods of `steps * reuse`. In the first `steps` of a period all is new; then the
    same batches come again, in the same order, `reuse - 1` times. Which one a step gets is a
    function of its number alone, so that a run that goes on draws again what it needs.

    Args:
        steps: whose images are held at a time.
        reuse: steps that each of them serves in.
    """

    steps: int
    reuse: int
    _held: dict[tuple[int, int], Drawn] = field(default_factory=dict)
    _period: int = -1

    def number(self, step: int) -> int:
        """Give which batch, counted from 0, a step gets."""
        period, place = divmod(step, self.steps * self.reuse)
        return period * self.steps + place % self.steps

    def get(self, step: int, part: int, draw: Callable[[int, int], Drawn]) -> Drawn:
        """Give what a step gets, drawn where it isn't held; forgets the batches of other periods.

        Args:
            step: optimiser steps done before.
            part: micro-batch of the step.
            draw: draws that part of the batch of a number.
        """
        number = self.number(step)
        if number // self.steps != self._period:
            self._held.clear()
            self._period = number // self.steps
        if (number, part) not in self._held:
            self._held[number, part] = draw(number, part).in_8_bits()
        return self._held[number, part]
