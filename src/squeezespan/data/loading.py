"""From a source to a set of images: decoded once into memory, or on demand."""

import time
from contextlib import ExitStack

import torch
from torch import Tensor

from squeezespan.data.decode import BrokenImageError
from squeezespan.data.decoder import Decoder, broken_images
from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.data.sources.base import Source
from squeezespan.progress import Progress

__all__ = ["DecodedImages", "load_images", "stored_resolution"]

_SECONDS_BEFORE_PROGRESS = 5.0
_SIZES_LOOKED_AT = 64


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
        super().__init__(name, source.class_names, _labels(source), resolution, device)
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
    pixels = _decode_all(name, source, Decoder(source, resolution, num_workers))
    return ResidentImages(name, source.class_names, _labels(source), pixels.to(device))


def stored_resolution(source: Source) -> int | None:
    """Give the side of a source's images, or None where they differ or are not square.

    At most 64 images, evenly spaced, are looked at; broken ones are left to the decoding, which
    counts them.

    Raises:
        UserError: none of these can be read.
    """
    count = min(_SIZES_LOOKED_AT, len(source))
    sizes: set[tuple[int, int]] = set()
    broken: list[tuple[int, BrokenImageError]] = []
    for index in (i * len(source) // count for i in range(count)):
        try:
            sizes.add(source.size(index))
        except BrokenImageError as error:
            broken.append((index, error))
    if not sizes:
        raise broken_images(source, broken)
    width, height = sizes.pop()
    return width if width == height and not sizes else None


def _decode_all(name: str, source: Source, decode: Decoder) -> Tensor:
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

        return decode(range(len(source)), count)


def _labels(source: Source) -> Tensor | None:
    return None if source.labels is None else torch.tensor(source.labels)
