"""A test split for images that have none: a share of every class, by a hash of the files' names.

Depends on the names alone: the same images on every machine, for every seed, for training and for
tests; where images are added, only those whose hash lies near the border change sides.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

from squeezespan.data.decode import ChooseBox, Pixels
from squeezespan.data.labels import Labels
from squeezespan.data.sources.base import Source
from squeezespan.errors import UserError

__all__ = ["Part", "describe_test_share", "part_of"]


class Part(Source):
    """Some of the images of a source, in its order.

    Args:
        whole: the source.
        indices: which of its images, ascending.
        notices: what a user should know, besides what the source says.
    """

    def __init__(self, whole: Source, indices: Sequence[int], notices: Sequence[str]) -> None:
        labels = whole.labels
        if labels.numbers is not None:
            numbers = [labels.numbers[index] for index in indices]
            labels = Labels(labels.class_names, numbers, "")
        super().__init__(labels, [*whole.notices, *notices])
        self._whole = whole
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    def decode(self, index: int, resolution: int) -> Pixels:
        """Decode the image."""
        return self._whole.decode(self._indices[index], resolution)

    def crop(self, index: int, choose: ChooseBox, resolution: int) -> Pixels:
        """Give a part of the image."""
        return self._whole.crop(self._indices[index], choose, resolution)

    def size(self, index: int) -> tuple[int, int]:
        """Give width and height of the image."""
        return self._whole.size(self._indices[index])

    def name(self, index: int) -> str:
        """Give the name that the image has in the whole."""
        return self._whole.name(self._indices[index])

    def describe(self, index: int) -> str:
        """Give the image's name and place."""
        return self._whole.describe(self._indices[index])


def part_of(whole: Source, part: Literal["train", "test"], share: float, spec: str) -> Part:
    """Give the images to learn from, or those to test on.

    Every class gives its share to the test, the nearest whole number of images and at least one,
    where it has two or more; without labels all images are one class.

    Args:
        whole: all images.
        part: which of them.
        share: for tests, above 0 and below 1.
        spec: names them in messages.

    Raises:
        UserError: too few images for a test.
    """
    numbers = whole.labels.numbers
    classes: dict[int, list[int]] = {}
    for index in range(len(whole)):
        classes.setdefault(0 if numbers is None else numbers[index], []).append(index)
    chosen = set()
    for members in classes.values():
        count = min(max(round(len(members) * share), 1), len(members) - 1)
        chosen.update(sorted(members, key=lambda index: _rank(whole.name(index)))[:count])
    if not chosen:
        raise UserError(
            f"{spec} has {len(whole)} images and no class of two, one of which could be tested on"
        )
    kept = [index for index in range(len(whole)) if (index in chosen) == (part == "test")]
    return Part(whole, kept, [f"{spec} is divided: {describe_test_share(share)}"])


def describe_test_share(share: float) -> str:
    """Say which images are tested on."""
    return f"{share * 100:g}% of every class are test images, by a hash of their names"


def _rank(name: str) -> tuple[bytes, str]:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest(), name
