"""The sizes of a source's images as they are stored, and what becomes of them."""

import math
from dataclasses import dataclass

from squeezespan.data.decoder import broken_images
from squeezespan.data.encoded import BrokenImageError
from squeezespan.data.sources.base import Source

__all__ = ["Sizes", "measure_sizes"]

_LOOKED_AT = 64
_MOST_LOST = 0.5


@dataclass(frozen=True)
class Sizes:
    """Sizes of the images that were looked at, pixels."""

    shapes: frozenset[tuple[int, int]]
    """Width and height."""
    side: int
    """Median of the short sides: the side of the centred square that is used of an image."""

    @property
    def square(self) -> int | None:
        """Side of the images where all are squares of one size, else None."""
        return self.side if self.shapes == {(self.side, self.side)} else None

    def describe(self, count: int, resolution: int, why: str = "") -> str:
        """Say how many images of which size are brought to which.

        Args:
            count: of the images.
            resolution: that they are brought to.
            why: what asks for this resolution, in a few words.

        Returns:
            Such as `57 images of 256 pixels, brought to 32 (the preset's)`.
        """
        sides = [min(shape) for shape in self.shapes]
        width, height = next(iter(self.shapes))
        if self.square is not None:
            stored = f"{self.side}"
        elif len(self.shapes) == 1:
            stored = f"{width}x{height}"
        elif min(sides) == max(sides):
            stored = f"{self.side} and more"
        else:
            stored = f"{min(sides)} to {max(sides)} (median {self.side})"
        text = f"{count} images of {stored} pixels"
        because = f" ({why})" if why else ""
        if self.square == resolution:
            return text
        part = "" if self.square is not None else "their centred squares "
        verb = "enlarged" if self.side < resolution else "brought"
        return f"{text}, {part}{verb} to {resolution}{because}"

    def lost(self, resolution: int) -> str:
        """Give the share of an image's pixels that are thrown away, if it is most of them.

        Returns:
            Such as `98%`; empty where half of the pixels or more are kept.
        """
        share = 1 - (resolution / self.side) ** 2
        return f"{math.floor(100 * share)}%" if share > _MOST_LOST else ""


def measure_sizes(source: Source) -> Sizes:
    """Look at the sizes of a source's images.

    At most 64, evenly spaced, are looked at; broken ones are left to the decoding, which counts
    them.

    Raises:
        UserError: none of these can be read.
    """
    count = min(_LOOKED_AT, len(source))
    shapes: list[tuple[int, int]] = []
    broken: list[tuple[int, BrokenImageError]] = []
    for index in (i * len(source) // count for i in range(count)):
        try:
            shapes.append(source.size(index))
        except BrokenImageError as error:
            broken.append((index, error))
    if not shapes:
        raise broken_images(source, broken)
    sides = sorted(min(shape) for shape in shapes)
    return Sizes(frozenset(shapes), sides[len(sides) // 2])
