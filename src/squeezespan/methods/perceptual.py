"""Distances between images as a trained network sees them, for the encoding's re-synthesis."""

import contextlib
import sys
import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.config import Perceptual
from squeezespan.errors import UserError
from squeezespan.models.efficientnet import LITE0_SAW, packaged_efficientnet_lite0

__all__ = ["EfficientNetDistance", "Lpips", "PerceptualDistance", "open_perceptual"]

_SMALLEST_LPIPS = 32
_SMALLEST_LITE0 = 64


class PerceptualDistance(nn.Module, ABC):
    """A frozen network that tells how unlike two images are."""

    name: str
    """In logs."""
    saw: str
    """What a student that learns by it has seen, besides its own images."""

    @abstractmethod
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare images pairwise; gradients reach both.

        Args:
            a: float32 [B, 3, R, R], nominally in [-1, 1].
            b: as `a`.

        Returns:
            float32 [B], 0 for equal images.
        """


class Lpips(PerceptualDistance):
    """LPIPS on AlexNet, version 0.1 (Zhang et al. 2018), of the package `lpips`.

    Raises:
        UserError: the package or AlexNet's weights are missing.
    """

    name = "lpips"
    saw = (
        "ImageNet with its labels and people's judgements of likeness (LPIPS: AlexNet of "
        "torchvision, package lpips)"
    )

    def __init__(self) -> None:
        super().__init__()
        try:
            import lpips
        except ImportError as error:
            raise UserError(
                "LPIPS is in a package that is not installed: pip install 'squeezespan[lpips]'; "
                "or choose another distance by --method.perceptual"
            ) from error
        weights = _alexnet_weights()
        with warnings.catch_warnings():
            # It calls torchvision by the names that arguments had in 2021.
            warnings.simplefilter("ignore")
            self.network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        for piece in self.network.net.children():
            piece.load_state_dict({key: weights[f"features.{key}"] for key in piece.state_dict()})
        self.eval().requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare images pairwise; see `PerceptualDistance.forward`."""
        distance: Tensor = self.network(a, b)
        return distance.flatten()


class EfficientNetDistance(PerceptualDistance):
    """LPIPS's form without its learnt weights, on the five stages of EfficientNet-Lite0.

    One minus the cosine of the two channel vectors at every position of a stage's map, averaged
    over positions and stages. The network, its weights and the range of its input are those of
    `squeezespan gan score`; images of less than 64 pixels are enlarged to 64.

    Raises:
        UserError: the package with the weights is missing.
    """

    name = "efficientnet_lite0"
    saw = LITE0_SAW

    def __init__(self) -> None:
        super().__init__()
        self.network = packaged_efficientnet_lite0().to(memory_format=torch.channels_last)
        self.eval().requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare images pairwise; see `PerceptualDistance.forward`."""
        cosines = [
            F.cosine_similarity(one, other, dim=1).mean((1, 2))
            for one, other in zip(self._maps(a), self._maps(b), strict=True)
        ]
        return 1 - torch.stack(cosines).mean(0)

    def _maps(self, images: Tensor) -> list[Tensor]:
        if images.shape[-1] < _SMALLEST_LITE0:
            images = F.interpolate(
                images, size=_SMALLEST_LITE0, mode="bilinear", align_corners=False
            )
        scaled = (images * 127.5 + 0.5) / 128
        scaled = scaled.contiguous(memory_format=torch.channels_last)
        maps: list[Tensor] = cast(Any, self.network).forward_intermediates(
            scaled, intermediates_only=True
        )
        return maps


def open_perceptual(name: Perceptual, resolution: int) -> PerceptualDistance | None:
    """Open a perceptual distance in eval mode, on the CPU.

    Args:
        name: as the setting `method.perceptual`; `none` gives None.
        resolution: side of the images that are compared, pixels.

    Raises:
        UserError: its package or weights can't be had, or the images are too small for it.
    """
    if name == "none":
        return None
    if name == "efficientnet-lite0":
        return EfficientNetDistance()
    if resolution < _SMALLEST_LPIPS:
        raise UserError(
            f"LPIPS compares images of {_SMALLEST_LPIPS} pixels and more, not {resolution}; raise "
            "--images.resolution or choose another distance by --method.perceptual"
        )
    return Lpips()


def _alexnet_weights() -> dict[str, Tensor]:
    from torchvision.models import AlexNet_Weights

    url = AlexNet_Weights.IMAGENET1K_V1.url
    try:
        # What is said of a download must not stand in what is printed.
        with contextlib.redirect_stdout(sys.stderr):
            weights: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
                url, map_location="cpu", progress=False, check_hash=True, weights_only=True
            )
    # No network, a damaged file in the cache, a full disk: each has an error of its own.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        place = Path(torch.hub.get_dir()) / "checkpoints"
        raise UserError(
            f"LPIPS needs AlexNet's weights, which can't be had ({reason[:160]}): put {url} into "
            f"{place}, or choose --method.perceptual efficientnet-lite0, another distance"
        ) from error
    return weights
