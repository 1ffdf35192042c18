"""Weakly augmented views of images: random crops, some of them mirrored."""

import torch
from torch import Tensor

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.data.crop import draw_box_numbers
from squeezespan.data.images import ImageSet
from squeezespan.data.loading import OriginalImages
from squeezespan.randomness import StepRandom

__all__ = ["CropAndFlip"]


class CropAndFlip:
    """Makes views of the images of a set, from the images as stored where the set has them.

    Args:
        images: as `FoundImages.load_originals` gives them.
        resolution: side of the views, pixels.
        crop_scale: share of the image that a crop covers.
        flip: share of views that are mirrored.
        device: where views are given.
    """

    def __init__(
        self,
        images: ImageSet,
        resolution: int,
        crop_scale: tuple[float, float],
        flip: float,
        device: torch.device | str,
    ) -> None:
        crop_and_flip = AugmentConfig(
            crop_scale=crop_scale, flip=flip, jitter=0.0, grayscale=0.0, blur=0.0
        )
        self._augment = Augment(crop_and_flip, resolution)
        self._images = images
        self._crop_scale = crop_scale
        self._flip = flip
        self._device = device

    def __call__(self, rows: Tensor, random: StepRandom) -> Tensor:
        """Give float32 [B, 3, R, R] in [0, 1], one view of each of the images at `rows`."""
        if not isinstance(self._images, OriginalImages):
            return self._augment(self._images.batch(rows).to(self._device), random)
        numbers = draw_box_numbers(len(rows), random, scale=self._crop_scale)
        views = self._images.crops(rows, numbers).to(self._device).float() / 255
        mirrored = (random.uniform(len(rows)) < self._flip).to(self._device)
        return torch.where(mirrored[:, None, None, None], views.flip(3), views)
