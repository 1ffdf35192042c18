"""From a source to a set of images: decoded once into memory, or on demand."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor

from squeezespan.data.crop import BoxNumbers, place_boxes
from squeezespan.data.decode import Box, ChooseBox
from squeezespan.data.decoder import Decoder
from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.data.notices import say_once
from squeezespan.data.sources.base import Source
from squeezespan.progress import Progress

__all__ = ["DecodedImages", "OriginalImages", "load_images"]

_SECONDS_BEFORE_PROGRESS = 5.0


class DecodedImages(ImageSet):
    """Images that are decoded anew whenever a batch asks for them.

    Args:
        name: the data spec they come from.
        source: the images.
        resolution: side of the images, pixels.
        device: where batches are given.
        num_workers: threads that decode; 0 is the caller's own.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        resolution: int,
        *,
        device: torch.device,
        num_workers: int,
    ) -> None:
        super().__init__(
            name,
            source.labels.class_names,
            _labels(source, range(len(source))),
            resolution,
            device,
            source.labels.problem,
        )
        self._length = len(source)
        self._decode = Decoder(source, resolution, num_workers)

    def __len__(self) -> int:
        return self._length

    def batch(self, indices: Tensor) -> Tensor:
        """Decode the images at `indices`, as in `ImageSet`.

        Raises:
            UserError: some cannot be decoded.
        """
        pixels = self._decode(indices.tolist())
        if self.device.type == "cuda":
            pixels = pixels.pin_memory()
        return pixels.to(self.device, non_blocking=True)


class OriginalImages(DecodedImages):
    """Images of several sizes, whose random crops come from the files themselves.

    Their `batch` gives the whole images at `resolution`, as `DecodedImages`.
    """

    def crops(self, indices: Tensor, numbers: BoxNumbers) -> Tensor:
        """Decode parts of the images at `indices`, resized to `resolution`.

        Args:
            indices: int64 [B].
            numbers: where the parts lie, of B images.

        Returns:
            uint8 [B, 3, resolution, resolution] on `device`.

        Raises:
            UserError: some cannot be decoded.
        """
        choose = [_box_of(numbers[row : row + 1]) for row in range(len(indices))]
        return self._decode.crops(indices.tolist(), choose).to(self.device, non_blocking=True)


def _box_of(numbers: BoxNumbers) -> ChooseBox:
    def choose(height: int, width: int) -> Box:
        top, left, box_height, box_width = place_boxes(numbers, height, width)[0].tolist()
        return top, left, box_height, box_width

    return choose


def load_images(
    name: str,
    source: Source,
    resolution: int,
    *,
    device: torch.device,
    num_workers: int,
    memory_limit: int,
) -> ImageSet:
    """Decode a source's images: at once where they fit into the limit, else whenever asked.

    Args:
        name: data spec, for messages.
        source: the images.
        resolution: side of the images, pixels.
        device: where batches are given; images decoded at once stay there.
        num_workers: threads that decode; 0 is the caller's own.
        memory_limit: bytes that images decoded at once may take.

    Raises:
        UserError: images that cannot be decoded; the message names one and counts the others.
    """
    if len(source) * 3 * resolution**2 > memory_limit:
        return DecodedImages(name, source, resolution, device=device, num_workers=num_workers)
    pixels, too_large = _decode_all(name, source, Decoder(source, resolution, num_workers))
    kept: Sequence[int] = range(len(source))
    if too_large:
        kept = [index for index in kept if index not in too_large]
        pixels = pixels[kept]
        say_once(_skipped(name, source, too_large))
    labels = _labels(source, kept)
    return ResidentImages(
        name, source.labels.class_names, labels, pixels.to(device), source.labels.problem
    )


def _decode_all(name: str, source: Source, decode: Decoder) -> tuple[Tensor, set[int]]:
    begin = time.monotonic() + _SECONDS_BEFORE_PROGRESS
    done = 0
    progress: Progress | None = None
    with ExitStack() as stack:

        def count(images: int) -> None:
            nonlocal done, progress
            done += images
            if progress is not None:
                progress.update(images)
            elif time.monotonic() > begin:
                progress = stack.enter_context(
                    Progress(
                        len(source), unit="images", description=f"decoding {name}", initial=done
                    )
                )

        return decode.all(count)


def _labels(source: Source, kept: Sequence[int]) -> Tensor | None:
    numbers = source.labels.numbers
    return None if numbers is None else torch.tensor([numbers[index] for index in kept])


def _skipped(name: str, source: Source, too_large: set[int]) -> str:
    first = source.describe(min(too_large))
    others = f" and {len(too_large) - 1} more" if len(too_large) > 1 else ""
    return f"{name}: skipped {first}{others}: more pixels than is safe to decode"
