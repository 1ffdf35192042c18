"""A discriminator as a teacher: what it says of the real images of a batch."""

import torch
from torch import Tensor

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.discriminators.features import DiscriminatorBackbone
from squeezespan.hardware import autocast
from squeezespan.randomness import StepRandom

__all__ = ["DiscriminatorTeacher"]


class DiscriminatorTeacher:
    """Gives the features of images without augmentation.

    No module, so that neither the optimizer nor a checkpoint sees the discriminator's weights.

    Args:
        backbone: prepared, on the run's device; `config.discriminator` names it.
        dtype: of its convolutions.
    """

    def __init__(self, backbone: DiscriminatorBackbone, dtype: torch.dtype) -> None:
        self._backbone = backbone.requires_grad_(False)
        self._dtype = dtype
        self._resize = Augment(AugmentConfig(enabled=False), backbone.resolution)

    @property
    def widths(self) -> dict[str, int]:
        """Layer to the width of its features."""
        return self._backbone.network.widths

    @torch.no_grad()
    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Compute features.

        Args:
            images: uint8 or float in [0, 1], [B, 3, H, W], on the run's device; brought to the
                discriminator's resolution here.

        Returns:
            layer to float32 [B, width].
        """
        resized = self._resize(images, StepRandom(0))
        with autocast(images.device, self._dtype):
            features = self._backbone(resized)
        widths = self.widths
        return dict(zip(widths, torch.split(features, list(widths.values()), dim=1), strict=True))
