"""From a predicted w of every layer to an image, and how far that is from the one it stands for."""

import torch
import torch.nn.functional as F
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.base import Generator, NoiseMode, as_rgb
from squeezespan.hardware import autocast
from squeezespan.methods.perceptual import PerceptualDistance

__all__ = ["Resynthesis"]


class Resynthesis:
    """Compares images with what a frozen generator makes of predicted latents.

    No module, so that neither the optimizer nor a checkpoint sees the generator's weights.

    Args:
        generator: frozen, of a family with a w of every layer.
        perceptual: on the generator's device; None compares pixels alone.
        noise: per-pixel noise of the re-synthesis.

    Raises:
        UserError: a generator without such a w.
    """

    def __init__(
        self, generator: Generator, perceptual: PerceptualDistance | None, noise: NoiseMode
    ) -> None:
        if not generator.has_w:
            raise UserError(
                "method.name encoding predicts the w of every layer, which a generator of the "
                f"family {generator.info.family} doesn't have; it takes StyleGAN2, StyleGAN3 and "
                "StyleGAN-XL"
            )
        self._generator = generator
        self._perceptual = perceptual
        self._noise: NoiseMode = noise

    @property
    def width(self) -> int:
        """Numbers that are predicted of an image: num_ws x w_dim."""
        return self._generator.info.num_ws * self._generator.info.w_dim

    def distances(self, ws: Tensor, images: Tensor) -> dict[str, Tensor]:
        """Re-synthesise images from `ws` and compare; gradients reach `ws`.

        Args:
            ws: w of every layer, float32 [B, num_ws * w_dim].
            images: what they stand for, float32 [B, 3, R, R] in [0, 1]; the generator's images are
                resized to R.

        Returns:
            float32 [B] each: `l1`, the mean absolute error of pixels in [-1, 1], and the perceptual
            distance under its own name.
        """
        info, side = self._generator.info, images.shape[-1]
        with autocast(images.device, torch.float32):
            made = as_rgb(
                self._generator.synthesise(
                    ws.float().view(-1, info.num_ws, info.w_dim), noise=self._noise
                ).images
            )
            if made.shape[-1] != side:
                made = F.interpolate(
                    made, size=side, mode="bilinear", align_corners=False, antialias=True
                )
            wanted = images * 2 - 1
            distances = {"l1": (made - wanted).abs().mean((1, 2, 3))}
            if self._perceptual is not None:
                distances[self._perceptual.name] = self._perceptual(made, wanted)
        return distances
