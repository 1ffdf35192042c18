"""Decoding many images of a source with several threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from squeezespan.data.decode import ChooseBox, Pixels
from squeezespan.data.encoded import BrokenImageError, TooLargeError
from squeezespan.data.notices import say_once
from squeezespan.data.sources.base import Source
from squeezespan.errors import UserError

__all__ = ["Decoder", "broken_images"]

_LARGEST_CHUNK = 256
_CHUNKS_PER_WORKER = 4
_FARTHEST_STAND_IN = 1000
_NAMED = 5

_DecodeOne = Callable[[int, int], Pixels]
"""Decodes the image at a place of a batch, given its index."""


class Decoder:
    """Decodes images of a source at one size.

    An image of too many pixels stops nothing: where all are decoded at once it is left out, and
    where some are asked for, the nearest image of its class stands in its place.

    Args:
        source: the images.
        resolution: side of the result, pixels.
        num_workers: threads to decode in; 0 is the caller's own.
    """

    def __init__(self, source: Source, resolution: int, num_workers: int) -> None:
        self._source = source
        self._resolution = resolution
        self._workers = max(num_workers, 1)
        self._pool = ThreadPoolExecutor(num_workers) if num_workers else None

    def __call__(self, indices: Sequence[int]) -> Tensor:
        """Decode some images.

        Args:
            indices: of the images.

        Returns:
            uint8 [B, 3, resolution, resolution] on the CPU.

        Raises:
            UserError: images that cannot be decoded; the message names five and counts the others.
        """
        return self._decode_asked(indices, self._whole)

    def readable(self, indices: Sequence[int]) -> tuple[Tensor, list[tuple[int, BrokenImageError]]]:
        """Decode those of some images that can be decoded.

        Args:
            indices: of the images, ascending.

        Returns:
            uint8 [n, 3, resolution, resolution] on the CPU, in the order of `indices`, and the
            images that are missing in it, each with what is wrong with it.
        """
        pixels, broken = self._decode(indices, self._whole)
        missing = {index for index, _ in broken}
        kept = [place for place, index in enumerate(indices) if index not in missing]
        return pixels[kept] if missing else pixels, sorted(broken, key=lambda item: item[0])

    def all(self, on_done: Callable[[int], None]) -> tuple[Tensor, set[int]]:
        """Decode all images of the source.

        Args:
            on_done: called now and then with the number of images done since the last call.

        Returns:
            uint8 [N, 3, resolution, resolution] on the CPU, and which images have too many pixels
            to be decoded: their rows hold nothing.

        Raises:
            UserError: images that cannot be decoded for another reason, or all are too large.
        """
        pixels, broken = self._decode(range(len(self._source)), self._whole, on_done)
        others = [(i, error) for i, error in broken if not isinstance(error, TooLargeError)]
        if others or len(broken) == len(self._source):
            raise broken_images(self._source, others or broken)
        return pixels, {i for i, _ in broken}

    def crops(self, indices: Sequence[int], choose: Sequence[ChooseBox]) -> Tensor:
        """Decode parts of some images, taken from them as they are stored.

        Args:
            indices: of the images.
            choose: gives the part of each.

        Returns:
            uint8 [B, 3, resolution, resolution] on the CPU.

        Raises:
            UserError: images that cannot be decoded.
        """

        def crop(place: int, index: int) -> Pixels:
            return self._source.crop(index, choose[place], self._resolution)

        return self._decode_asked(indices, crop)

    def _whole(self, place: int, index: int) -> Pixels:
        return self._source.decode(index, self._resolution)

    def _decode_asked(self, indices: Sequence[int], one: _DecodeOne) -> Tensor:
        def decode(place: int, index: int) -> Pixels:
            try:
                return one(place, index)
            except TooLargeError as error:
                return self._stand_in(place, index, one, error)

        pixels, broken = self._decode(indices, decode)
        if broken:
            raise broken_images(self._source, broken)
        return pixels

    def _stand_in(self, place: int, index: int, one: _DecodeOne, error: TooLargeError) -> Pixels:
        labels, count = self._source.labels.numbers, len(self._source)
        for step in range(1, min(count, _FARTHEST_STAND_IN)):
            for other in ((index + step) % count, (index - step) % count):
                if labels is not None and labels[other] != labels[index]:
                    continue
                with suppress(BrokenImageError):
                    pixels = one(place, other)
                    say_once(
                        f"skipped {self._source.describe(index)}: {error}; "
                        f"{self._source.describe(other)} stands in its place"
                    )
                    return pixels
        raise error

    def _decode(
        self,
        indices: Sequence[int],
        one: _DecodeOne,
        on_done: Callable[[int], None] | None = None,
    ) -> tuple[Tensor, list[tuple[int, BrokenImageError]]]:
        shape = (len(indices), 3, self._resolution, self._resolution)
        result: Pixels = np.empty(shape, np.uint8)
        share = -(-len(indices) // (_CHUNKS_PER_WORKER * self._workers))
        chunk = min(max(share, 1), _LARGEST_CHUNK)
        broken: list[tuple[int, BrokenImageError]] = []

        def decode(start: int) -> int:
            part = indices[start : start + chunk]
            for place, index in enumerate(part, start):
                try:
                    result[place] = one(place, index).transpose(2, 0, 1)
                except BrokenImageError as error:
                    broken.append((index, error))
            return len(part)

        starts = range(0, len(indices), chunk)
        for done in self._pool.map(decode, starts) if self._pool else map(decode, starts):
            if on_done is not None:
                on_done(done)
        return torch.from_numpy(result), broken


def broken_images(source: Source, broken: Sequence[tuple[int, BrokenImageError]]) -> UserError:
    """Say which images cannot be decoded: a few by name, the others by number."""
    index, error = min(broken, key=lambda item: item[0])
    others = sorted({other for other, _ in broken} - {index})
    named = [source.name(other) for other in others[: _NAMED - 1]]
    if len(others) > len(named):
        named.append(f"{len(others) - len(named)} more")
    nor = f", nor {', '.join(named)}" if named else ""
    return UserError(
        f"cannot decode {source.describe(index)}{nor}: {error}; repair or remove such files"
    )
