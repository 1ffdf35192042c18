"""Data specs: one line of text that names a set of images, wherever and however it is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import torch

from squeezespan.data.images import ImageSet
from squeezespan.data.loading import OriginalImages, load_images
from squeezespan.data.notices import say_once
from squeezespan.data.sizes import Sizes, measure_sizes
from squeezespan.data.sources.base import Source
from squeezespan.data.sources.builtin import open_builtin
from squeezespan.data.sources.cifar import CIFAR10, CIFAR100, open_cifar
from squeezespan.data.sources.hub import open_hub
from squeezespan.data.sources.shards import open_shards
from squeezespan.data.sources.stl10 import open_stl10
from squeezespan.data.sources.tree import open_tree
from squeezespan.data.splits import Split
from squeezespan.data.test_share import part_of
from squeezespan.errors import UserError
from squeezespan.files import expanded
from squeezespan.settings import closest

__all__ = ["MEMORY_LIMIT", "FoundImages", "Split", "find_images", "open_images", "place_of"]

MEMORY_LIMIT = 4 * 2**30
"""Bytes of decoded images that are kept in memory, unless told otherwise."""

_OPENERS: dict[str, Callable[[str, Split, int], Source]] = {
    "builtin": lambda rest, split, limit: open_builtin(rest, split, memory_limit=limit),
    "cifar10": lambda rest, split, limit: open_cifar(
        CIFAR10, expanded(rest), split, memory_limit=limit
    ),
    "cifar100": lambda rest, split, limit: open_cifar(
        CIFAR100, expanded(rest), split, memory_limit=limit
    ),
    "stl10": lambda rest, split, limit: open_stl10(expanded(rest), split, memory_limit=limit),
    "folder": lambda rest, split, limit: open_tree(expanded(rest), split, memory_limit=limit),
    "wds": lambda rest, split, limit: open_shards(rest, split, memory_limit=limit),
    "hf": lambda rest, split, limit: open_hub(rest, split),
}
_OF_PATHS = ("cifar10", "cifar100", "stl10", "folder")


@dataclass(frozen=True)
class FoundImages:
    """The images of a split, listed and not decoded yet."""

    spec: str
    source: Source

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def sizes(self) -> Sizes:
        """Of the images as stored.

        Raises:
            UserError: no image can be read.
        """
        return measure_sizes(self.source)

    def load(
        self,
        resolution: int,
        *,
        device: torch.device | str = "cpu",
        num_workers: int = 0,
        memory_limit: int = MEMORY_LIMIT,
    ) -> ImageSet:
        """Give the images at one resolution; arguments as for `open_images`.

        Raises:
            UserError: images that cannot be decoded.
        """
        return load_images(
            self.spec,
            self.source,
            resolution,
            device=torch.device(device),
            num_workers=num_workers,
            memory_limit=memory_limit,
        )

    def load_originals(
        self,
        resolution: int,
        *,
        device: torch.device | str = "cpu",
        num_workers: int = 0,
        memory_limit: int = MEMORY_LIMIT,
    ) -> ImageSet:
        """Give the images for random crops that are taken from them as they are stored.

        Squares of one size keep it; others are `OriginalImages`, decoded when asked for.

        Args:
            resolution: side of the crops, pixels; the rest as for `open_images`.
            device: as for `open_images`.
            num_workers: as for `open_images`.
            memory_limit: as for `open_images`.

        Raises:
            UserError: images that cannot be decoded.
        """
        side = self.sizes.square
        if side is None:
            return self.originals(resolution, device=device, num_workers=num_workers)
        return self.load(side, device=device, num_workers=num_workers, memory_limit=memory_limit)

    def originals(
        self, resolution: int, *, device: torch.device | str = "cpu", num_workers: int = 0
    ) -> OriginalImages:
        """Give the images for random crops from the files, decoded when asked for.

        Args:
            resolution: side of the crops, pixels; the rest as for `open_images`.
            device: as for `open_images`.
            num_workers: as for `open_images`.
        """
        place = torch.device(device)
        return OriginalImages(
            self.spec, self.source, resolution, device=place, num_workers=num_workers
        )


def find_images(
    spec: str,
    split: Split,
    *,
    memory_limit: int = MEMORY_LIMIT,
    test_share: float | None = None,
) -> FoundImages:
    """List the images that a data spec names.

    Args:
        spec: as for `open_images`.
        split: as for `open_images`.
        memory_limit: bytes of a compressed archive that may be kept in memory.
        test_share: share of the images that become a test split, above 0 and below 1, where there
            is none; None takes splits as they are.

    Raises:
        UserError: not a data spec; nothing there, or no such split; one of its own where a share is
            to become one.
    """
    kind, _, rest = spec.partition(":")
    opener = _OPENERS.get(kind)
    if opener is None or not rest:
        raise UserError(_not_a_spec(spec, kind))
    if split not in get_args(Split):
        raise UserError(f"there is no split {split!r}; give {', '.join(get_args(Split))}")
    if test_share is None or split == "unlabeled":
        source = opener(rest, split, memory_limit)
    else:
        whole = _undivided(spec, opener, rest, memory_limit)
        source = part_of(whole, split, test_share, spec)
    for notice in source.notices:
        say_once(notice)
    return FoundImages(spec, source)


def _undivided(
    spec: str, opener: Callable[[str, Split, int], Source], rest: str, memory_limit: int
) -> Source:
    """Give the images of a spec without a test split."""
    whole = opener(rest, "train", memory_limit)
    has_test = whole.has_test()
    if has_test is None:
        try:
            has_test = opener(rest, "test", memory_limit) is not None
        except UserError:
            has_test = False
    if has_test:
        raise UserError(
            f"{spec} has a test split of its own, so no share of train is to become one; leave "
            "--test-share out"
        )
    return whole


def open_images(
    spec: str,
    split: Split,
    *,
    resolution: int | None = None,
    device: torch.device | str = "cpu",
    num_workers: int = 0,
    memory_limit: int = MEMORY_LIMIT,
) -> ImageSet:
    """Open the images that a data spec names.

    Args:
        spec: `cifar10:DIR`, `cifar100:DIR`, `stl10:DIR`, `folder:PATH`, `wds:PATTERN`, `hf:NAME`
            or `builtin:cifar10-mini`.
        split: `train`, `test` (a split called val where there is no test) or `unlabeled`.
        resolution: side to bring the images to, pixels; None keeps their own.
        device: where batches are given, and where images decoded at once are kept.
        num_workers: threads that decode; 0 is the caller's own.
        memory_limit: bytes of decoded images to keep; a larger set is decoded batch by batch.

    Raises:
        UserError: not a data spec; nothing there, or no such split; images that cannot be
            decoded; images of different sizes and no resolution given.
    """
    found = find_images(spec, split, memory_limit=memory_limit)
    side = resolution or found.sizes.square
    if side is None:
        raise UserError(f"the images of {spec} differ in size or are not square; give a resolution")
    return found.load(side, device=device, num_workers=num_workers, memory_limit=memory_limit)


def place_of(spec: str) -> Path | None:
    """Give the folder or file that a data spec names, None where it names neither."""
    kind, _, rest = spec.partition(":")
    return expanded(rest) if kind in _OF_PATHS and rest else None


def _not_a_spec(spec: str, kind: str) -> str:
    if kind in _OPENERS:
        return f"{spec!r} names no place; write what follows the colon, as in folder:images"
    if spec and expanded(spec).exists():
        return f"{spec!r} is not a data spec; did you mean folder:{spec}?"
    kinds = ", ".join(f"{known}:" for known in _OPENERS)
    return f"{spec!r} is not a data spec{closest(kind, list(_OPENERS))}; it begins with {kinds}"
