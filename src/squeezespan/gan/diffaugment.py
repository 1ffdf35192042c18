"""DiffAugment's `color,translation,cutout` (Zhao et al. 2020), as Projected GAN applies it."""

import torch
from torch import Tensor

from squeezespan.randomness import StepRandom

__all__ = ["diff_augment"]

_SHIFT = 0.125
_HOLE = 0.2


def diff_augment(images: Tensor, random: StepRandom) -> Tensor:
    """Change every image's brightness, saturation and contrast, shift it, and cut a square out.

    Differentiable in the images. What a shift leaves bare, and the square, become 0.

    Args:
        images: float32 [B, 3, S, S] in [-1, 1].
        random: source of the per-image parameters.

    Returns:
        float32 [B, 3, S, S], not clamped.
    """
    return _cut(_shift(_recolor(images, random), random), random)


def _recolor(images: Tensor, random: StepRandom) -> Tensor:
    n = len(images)
    brightness, saturation, contrast = (random.uniform(n)[:, None, None, None] for _ in range(3))
    brighter = images + (brightness - 0.5)
    grey = brighter.mean(dim=1, keepdim=True)
    saturated = grey + (brighter - grey) * (2 * saturation)
    mean = saturated.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (saturated - mean) * (contrast + 0.5)


def _shift(images: Tensor, random: StepRandom) -> Tensor:
    n, _, height, width = images.shape
    for dim, size in ((2, height), (3, width)):
        reach = int(size * _SHIFT + 0.5)
        by = random.integers(n, high=2 * reach + 1) - reach
        places = torch.arange(size, device=images.device) + by[:, None]
        inside = (places >= 0) & (places < size)
        aligned = (n, 1, size, 1) if dim == 2 else (n, 1, 1, size)
        index = places.clamp(0, size - 1).view(aligned).expand_as(images)
        images = images.gather(dim, index) * inside.view(aligned)
    return images


def _cut(images: Tensor, random: StepRandom) -> Tensor:
    n, _, height, width = images.shape
    within = []
    for size in (height, width):
        side = int(size * _HOLE + 0.5)
        # Squares of even side may begin one place further.
        first = random.integers(n, high=size + 1 - side % 2) - side // 2
        places = torch.arange(size, device=images.device)
        within.append((places >= first[:, None]) & (places < first[:, None] + side))
    hole = within[0][:, :, None] & within[1][:, None, :]
    return images * ~hole[:, None]
