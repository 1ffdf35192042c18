"""Bringing images in [0, 1] to the mean and spread that a backbone is trained with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.errors import UserError

__all__ = ["Normalization", "measure_normalization"]

_SAMPLE = 10_000
_CHUNK = 500


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation per RGB channel, of images in [0, 1]."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def normalize(self, images: Tensor) -> Tensor:
        """Give `(images - mean) / std`.

        Args:
            images: floating point [B, 3, H, W] in [0, 1].

        Returns:
            same shape and dtype.
        """
        mean = images.new_tensor(self.mean).view(3, 1, 1)
        std = images.new_tensor(self.std).view(3, 1, 1)
        return (images - mean) / std


def measure_normalization(images: ImageSet, sample: int = _SAMPLE) -> Normalization:
    """Measure the mean and standard deviation of a set's pixels.

    The sums are over whole numbers, so the result does not depend on the device. A channel of one
    value, as microscopes' pictures of two stains have, gets the standard deviation 1, so that it
    is only centred.

    Args:
        images: of the train split, never of test data.
        sample: at most about this many images, evenly spaced, are looked at.

    Raises:
        UserError: every pixel of every channel has the same value.
    """
    count = min(sample, len(images))
    chosen = torch.arange(count) * len(images) // max(count, 1)
    total = torch.zeros(3, dtype=torch.int64, device=images.device)
    squares = torch.zeros_like(total)
    for start in range(0, count, _CHUNK):
        pixels = images.batch(chosen[start : start + _CHUNK]).long()
        total += pixels.sum((0, 2, 3))
        squares += (pixels * pixels).sum((0, 2, 3))
    pixels_seen = count * images.resolution**2
    mean = total.double().cpu() / pixels_seen
    variance = squares.double().cpu() / pixels_seen - mean**2
    if not (variance > 0).any():
        raise UserError(f"the images of {images.name} are all of one color; check what they hold")
    red, green, blue = (mean / 255).tolist()
    std = torch.where(variance > 0, variance.sqrt() / 255, 1.0).tolist()
    return Normalization((red, green, blue), (std[0], std[1], std[2]))
