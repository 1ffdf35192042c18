"""The frozen network whose feature maps a projected discriminator judges."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.hardware import autocast
from squeezespan.models.checksum import weights_sha256

__all__ = ["STAGES", "FeatureNetwork", "Origin", "measure_maps"]

STAGES = 4
"""Feature maps that are judged, fine to coarse, each of half the last one's side."""

_SMALLEST_MAP = 4
"""Pixels that a head's last convolution takes."""


class Origin(NamedTuple):
    """Where a feature network comes from."""

    name: str
    """As the settings name it, such as `efficientnet-lite0` or `timm:resnet50`."""
    weights: str
    """Whose numbers it has: a package, a name of timm's or a file."""
    saw: tuple[str, ...]
    """What a GAN that learns from it has seen by way of it, besides its own images."""


class FeatureNetwork(nn.Module):
    """A frozen backbone from images to the maps of its last four stages.

    Args:
        backbone: of timm's kind; it has `forward_intermediates`.
        normalization: mean and std of its images' channels in [0, 1].
        side: images are resized to it, pixels.
        origin: where it comes from.
        section: of the settings that choose it, for messages.

    Attributes:
        channels: of the four maps, fine to coarse.
        sha256: of its weights.

    Raises:
        UserError: its maps don't fit (see `measure_maps`).
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        normalization: tuple[Sequence[float], Sequence[float]],
        side: int,
        origin: Origin,
        section: str = "projected",
    ) -> None:
        super().__init__()
        self.backbone = backbone.to(memory_format=torch.channels_last)
        self.side = side
        self.origin = origin
        self.compute_dtype = torch.float32
        mean, std = (torch.tensor(x, dtype=torch.float64).view(-1, 1, 1) for x in normalization)
        self.register_buffer("scale", (0.5 / std).float(), persistent=False)
        self.register_buffer("shift", ((0.5 - mean) / std).float(), persistent=False)
        self.requires_grad_(False)
        self.train()
        self.channels = measure_maps(self.backbone, origin.name, side, section)
        self.sha256 = weights_sha256(self.backbone.state_dict())

    @property
    def facts(self) -> dict[str, Any]:
        """What the file of a GAN that learnt from this network says of it."""
        return {
            "network": self.origin.name,
            "weights": self.origin.weights,
            "weights_sha256": self.sha256,
            "side": self.side,
        }

    def check_same(self, sha256: str) -> None:
        """Make sure that a run goes on with the weights that it began with.

        Args:
            sha256: of the weights then.

        Raises:
            UserError: they are others now.
        """
        if sha256 != self.sha256:
            raise UserError(
                f"cannot resume: {self.origin.name} ({self.origin.weights}) has other weights than "
                "when the run began"
            )

    def train(self, mode: bool = True) -> Self:
        """Stay in eval mode, whatever a network around it does."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Give the maps of the last four stages.

        Args:
            images: RGB float32 [B, 3, R, R], nominally in [-1, 1].

        Returns:
            Four maps [B, C, r, r], fine to coarse, in the compute dtype.
        """
        if images.shape[-1] != self.side:
            shrinks = images.shape[-1] > self.side
            images = F.interpolate(
                images, size=self.side, mode="bilinear", align_corners=False, antialias=shrinks
            )
        normalized = images * self.scale + self.shift
        with autocast(images.device, self.compute_dtype):
            return _maps(self.backbone, normalized.contiguous(memory_format=torch.channels_last))


def measure_maps(
    backbone: nn.Module, name: str, side: int, section: str = "projected"
) -> tuple[int, ...]:
    """Give the channels of the four maps that are judged.

    Args:
        backbone: of timm's kind, in eval mode, on the CPU.
        name: what to call it in messages.
        side: of its images, pixels.
        section: of the settings that choose it, for messages.

    Raises:
        UserError: it doesn't give four maps each of half the last one's side, or its coarsest is
            smaller than 4x4.
    """
    if not hasattr(backbone, "forward_intermediates"):
        raise UserError(f"{name} doesn't give feature maps; take another network of timm's")
    try:
        with torch.no_grad():
            maps = _maps(backbone, torch.zeros(1, 3, side, side))
    # Architectures that don't take images of this size fail in as many ways as there are.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{name} can't take {side}x{side} images: {reason[:200]}") from error
    sides = [feature_map.shape[-1] for feature_map in maps]
    halves = [fine == 2 * coarse for fine, coarse in itertools.pairwise(sides)]
    if len(sides) != STAGES or not all(halves):
        raise UserError(
            f"{name} gives maps of {', '.join(map(str, sides))} pixels for images of {side}; a "
            f"projected discriminator needs {STAGES}, each of half the last one's side"
        )
    if sides[-1] < _SMALLEST_MAP:
        least = side * _SMALLEST_MAP // sides[-1]
        raise UserError(
            f"{name} gives a coarsest map of {sides[-1]}x{sides[-1]} for images of {side} "
            f"pixels, but needs {_SMALLEST_MAP}x{_SMALLEST_MAP}; give --{section}.side {least}"
        )
    return tuple(feature_map.shape[1] for feature_map in maps)


def _maps(backbone: nn.Module, images: Tensor) -> list[Tensor]:
    maps = cast(Any, backbone).forward_intermediates(
        images, indices=STAGES, intermediates_only=True, stop_early=True
    )
    return list(maps)
