"""Random views of a batch of images, made on the device with parameters drawn per image."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from squeezespan.config import AugmentConfig
from squeezespan.data.blur import blur_radius, gaussian_blur
from squeezespan.data.color import JITTERS, color_jitter, solarize, to_grayscale
from squeezespan.data.crop import draw_boxes, resized_crop
from squeezespan.randomness import StepRandom
from squeezespan.settings import check_ranges

__all__ = ["Augment", "AugmentParameters", "weaker"]


@dataclass(frozen=True)
class AugmentParameters:
    """What happens to each image of a batch of B, in the order of the fields."""

    boxes: Tensor
    """int64 [B, 4]: top, left, height, width of the crop."""
    flip: Tensor
    """bool [B]: mirrored left to right."""
    factors: Tensor
    """float32 [B, 4] of the color jitter; (1, 1, 1, 0) leaves an image alone."""
    order: Tensor
    """int64 [B, 4]: order of the color jitter's operations."""
    grayscale: Tensor
    """bool [B]."""
    sigma: Tensor
    """float32 [B] of the blur, pixels; 0 is no blur."""
    solarized: Tensor
    """bool [B]: the bright pixels of the view are inverted."""


class Augment:
    """MoCo-v2's augmentation (Chen et al. 2020): crop, color jitter, grayscale, blur, flip.

    And solarization, which BYOL (Grill et al. 2020) adds at the end.

    Nothing loops over images, and the GPU is never waited for when `random` draws on the CPU,
    where it gives the same parameters on every device. Runs in float32 outside autocast and
    without gradients.

    Args:
        config: probabilities and ranges; with `enabled` false, images are only centre-cropped
            and resized to `resolution`.
        resolution: side of the views, pixels.

    Raises:
        UserError: a probability or range that is impossible; the message names the setting.
    """

    def __init__(self, config: AugmentConfig, resolution: int) -> None:
        check_ranges(config, where="augment")
        self.config = config
        self.resolution = resolution

    @torch.no_grad()
    def __call__(self, images: Tensor, random: StepRandom) -> Tensor:
        """Make one view of each image.

        Args:
            images: [B, 3, H, W], uint8, or floating point in [0, 1].
            random: source of the draws, best on the CPU.

        Returns:
            float32 [B, 3, resolution, resolution] in [0, 1], on the images' device.
        """
        height, width = images.shape[-2:]
        if not self.config.enabled:
            return self._resize(images)
        return self.apply(images, self.draw(len(images), height, width, random))

    def draw(self, n: int, height: int, width: int, random: StepRandom) -> AugmentParameters:
        """Draw the parameters for `n` images of `height` by `width` pixels."""
        config = self.config
        spread = torch.tensor([config.brightness, config.contrast, config.saturation, config.hue])
        neutral = torch.tensor([1.0, 1.0, 1.0, 0.0], device=random.device)
        spread = spread.to(random.device)
        lowest = neutral - spread
        lowest[:3].clamp_(min=0)
        scale, ratio = config.crop_scale, config.crop_ratio
        boxes = draw_boxes(n, height, width, random, scale=scale, ratio=ratio)
        jittered = random.uniform(n, 1) < config.jitter
        drawn = lowest + random.uniform(n, len(JITTERS)) * (neutral + spread - lowest)
        order = random.uniform(n, len(JITTERS)).argsort(1)
        grayscale = random.uniform(n) < config.grayscale
        blurred = random.uniform(n) < config.blur
        sigma = random.uniform(n, low=config.blur_sigma[0], high=config.blur_sigma[1])
        flip = random.uniform(n) < config.flip
        # The last one, so that what was drawn before it came is drawn as ever.
        solarized = random.uniform(n) < config.solarize
        factors = torch.where(jittered, drawn, neutral)
        return AugmentParameters(boxes, flip, factors, order, grayscale, sigma * blurred, solarized)

    @torch.no_grad()
    def apply(self, images: Tensor, parameters: AugmentParameters) -> Tensor:
        """Make the views that `parameters` describe; shapes and ranges as in calling the object."""
        with torch.autocast(images.device.type, enabled=False):
            # A mirror commutes with every later operation and costs nothing in the crop.
            views = resized_crop(images, parameters.boxes, self.resolution, parameters.flip)
            # Sums of weights can leave [0, 1] by a rounding error.
            views = views.clamp_(0, 1)
            if self.config.jitter > 0:
                views = color_jitter(views, parameters.factors, parameters.order)
            rows = parameters.grayscale.nonzero()[:, 0].to(images.device, non_blocking=True)
            if len(rows):
                views[rows] = to_grayscale(views[rows]).expand(-1, 3, -1, -1)
            blurred = parameters.sigma.nonzero()[:, 0]
            if len(blurred):
                rows = blurred.to(images.device, non_blocking=True)
                sigma = parameters.sigma[blurred].to(images.device, non_blocking=True)
                radius = blur_radius(self.config.blur_sigma[1], self.resolution, self.resolution)
                views[rows] = gaussian_blur(views[rows], sigma, radius).clamp_(max=1)
            rows = parameters.solarized.nonzero()[:, 0].to(images.device, non_blocking=True)
            if len(rows):
                views[rows] = solarize(views[rows])
        return views

    def _resize(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if height == width == self.resolution:
            return images.float() / 255 if images.dtype == torch.uint8 else images.float()
        side = min(height, width)
        box = torch.tensor([(height - side) // 2, (width - side) // 2, side, side])
        with torch.autocast(images.device.type, enabled=False):
            return resized_crop(images, box.expand(len(images), 4), self.resolution).clamp_(0, 1)


def weaker(config: AugmentConfig, strength: float) -> AugmentConfig:
    """Give an augmentation between none but flips and `config`, in a straight line.

    Args:
        config: what strength 1 is.
        strength: 0 to 1; 0 leaves flips alone.
    """
    if strength == 1:
        return config

    def towards_one(pair: tuple[float, float]) -> tuple[float, float]:
        return 1 + strength * (pair[0] - 1), 1 + strength * (pair[1] - 1)

    return replace(
        config,
        crop_scale=towards_one(config.crop_scale),
        crop_ratio=towards_one(config.crop_ratio),
        jitter=strength * config.jitter,
        brightness=strength * config.brightness,
        contrast=strength * config.contrast,
        saturation=strength * config.saturation,
        hue=strength * config.hue,
        grayscale=strength * config.grayscale,
        blur=strength * config.blur,
        solarize=strength * config.solarize,
    )
