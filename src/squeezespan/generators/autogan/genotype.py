"""AutoGAN's genotypes: the 14 numbers that say how its three cells are wired.

The order is that of the search's own lists: convolution order, norm, upsampling and shortcut of
the first cell, then the same four and the incoming skips of the second and of the third cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from squeezespan.errors import UserError

__all__ = ["VARIANTS", "CellPlan", "Norm", "Upsampling", "parse_genotype", "plan_cells"]

Norm = Literal["none", "batch", "instance"]
Upsampling = Literal["bilinear", "nearest", "deconv"]

_NORMS: tuple[Norm, ...] = ("none", "batch", "instance")
_UPSAMPLINGS: tuple[Upsampling, ...] = ("bilinear", "nearest", "deconv")
_HIGHEST = (1, 2, 2, 1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 3)

VARIANTS: dict[str, tuple[int, ...]] = {
    "a": (1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 3),
    "b": (1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 3),
    "c": (1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 3),
}
"""The fixed architectures `autogan_cifar10_a`, `_b` and `_c`; "a" is the released one."""


@dataclass(frozen=True)
class CellPlan:
    """How one cell is wired."""

    norm_first: bool
    """Norm, ReLU, convolution; otherwise convolution, norm, ReLU."""
    norm: Norm
    upsampling: Upsampling
    shortcut: bool
    skips: tuple[int, ...]
    """Earlier cells (0 or 1) whose skip output is added; the order is the file's."""


def parse_genotype(genotype: Sequence[int] | str) -> tuple[int, ...]:
    """Check a genotype given as 14 numbers, in a sequence or as text, or as a variant's letter.

    Raises:
        UserError: an unknown letter, another length, or a number out of its range.
    """
    if isinstance(genotype, str):
        if genotype in VARIANTS:
            return VARIANTS[genotype]
        words = genotype.replace(",", " ").split()
        if not words or not all(word.isascii() and word.isdigit() for word in words):
            raise UserError(
                f"there is no AutoGAN variant {genotype[:60]!r}; give a, b, c or the genotype's "
                f"14 numbers, such as {','.join(map(str, VARIANTS['a']))}"
            )
        genotype = [int(word[:9]) for word in words]
    numbers = tuple(genotype)
    fits = len(numbers) == len(_HIGHEST) and all(
        number in range(highest + 1) for number, highest in zip(numbers, _HIGHEST, strict=True)
    )
    if not fits:
        raise UserError(
            f"an AutoGAN genotype is 14 numbers from 0 to at most {_HIGHEST}, not {list(numbers)}"
        )
    return tuple(int(number) for number in numbers)


def plan_cells(genotype: tuple[int, ...]) -> list[CellPlan]:
    """Give the wiring of the three cells.

    Args:
        genotype: as `parse_genotype` gives it.
    """
    parts = [(*genotype[:4], 0), genotype[4:9], genotype[9:14]]
    return [
        CellPlan(
            norm_first=bool(order),
            norm=_NORMS[norm],
            upsampling=_UPSAMPLINGS[upsampling],
            shortcut=bool(shortcut),
            # The lowest bit stands for the nearest earlier cell.
            skips=tuple(earlier for earlier in range(cell) if skips >> (cell - 1 - earlier) & 1),
        )
        for cell, (order, norm, upsampling, shortcut, skips) in enumerate(parts)
    ]
