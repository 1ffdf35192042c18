"""Projected GAN's discriminator beside its feature network (Sauer et al. 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from squeezespan.discriminators.projected.heads import Head
from squeezespan.discriminators.projected.mixing import RandomMixing
from squeezespan.generators.base import check_labels
from squeezespan.hardware import autocast

__all__ = ["ProjectedDiscriminator", "ProjectedDiscriminatorConfig"]


@dataclass(frozen=True)
class ProjectedDiscriminatorConfig:
    """Constructor arguments; the defaults but for the first are the published ones."""

    feature_channels: tuple[int, ...]
    """Of the feature network's four maps, fine to coarse."""
    channels: int = 64
    """Of the finest mixed map."""
    num_classes: int = 0
    separable: bool = True
    """Depthwise and pointwise convolutions in the heads; published with StyleGAN2 only."""


class ProjectedDiscriminator(nn.Module):
    """Mixing, which is random and fixed, and one head a scale.

    The feature network is no part of it: it is frozen and has a file of its own.

    Args:
        config: the sizes.
    """

    def __init__(self, config: ProjectedDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        self.mixing = RandomMixing(config.feature_channels, config.channels)
        scales = len(config.feature_channels)
        self.heads = nn.ModuleList(
            Head(
                width,
                scales - i,
                num_classes=config.num_classes,
                separable=config.separable,
            )
            for i, width in enumerate(self.mixing.channels)
        )
        self.mixing.requires_grad_(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let the heads learn or not; the mixing stays as it was drawn."""
        self.heads.requires_grad_(requires_grad)
        return self

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Convolve in `dtype`; parameters, spectral norms and logits stay float32."""
        self.compute_dtype = dtype

    def forward(self, maps: Sequence[Tensor], labels: Tensor | None = None) -> Tensor:
        """Judge images by their feature maps.

        Args:
            maps: as `FeatureNetwork` gives them.
            labels: class indices, int64 [B]; None for an unconditional discriminator.

        Returns:
            Logits of all places of all scales, fine to coarse, float32 [B, n]; higher is more
            real.

        Raises:
            UserError: labels are missing, surplus or don't fit (see `check_labels`).
        """
        check_labels("discriminator", self.config.num_classes, labels, len(maps[0]))
        with autocast(maps[0].device, self.compute_dtype):
            mixed = self.mixing(maps)
            return torch.cat(
                [head(x, labels) for head, x in zip(self.heads, mixed, strict=True)], dim=1
            )
