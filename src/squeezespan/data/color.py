"""Color jitter, grayscale and solarization of a batch, images with factors of their own."""

import torch
from torch import Tensor

__all__ = ["JITTERS", "adjust_hue", "color_jitter", "solarize", "to_grayscale"]

JITTERS = ("brightness", "contrast", "saturation", "hue")
"""The operations that `order` and the columns of `factors` refer to by index."""
_CONTRAST, _SATURATION, _HUE = 1, 2, 3
_LUMA = (0.2989, 0.587, 0.114)
_BRIGHT = 128 / 255
"""From where on eight-bit images are inverted in Pillow's `solarize`."""


def color_jitter(images: Tensor, factors: Tensor, order: Tensor) -> Tensor:
    """Change brightness, contrast, saturation and hue of each image in its own order.

    Equals torchvision's `adjust_*` functions on float images, image by image. Brightness,
    contrast and saturation are one formula, `f x + (1 - f) r`, with the reference `r` black, the
    mean gray or the gray image; so the batch goes through three such steps, and only those images
    through the hue step whose turn it is.

    Args:
        images: float32 [B, 3, H, W] in [0, 1].
        factors: [B, 4] in the order of `JITTERS`; neutral are (1, 1, 1, 0).
        order: int64 [B, 4], each row a permutation of 0 to 3: the operations, first to last.

    Returns:
        float32 [B, 3, H, W] in [0, 1].
    """
    is_hue = order == _HUE
    hue_turn = is_hue.int().argmax(1)
    hue_turn = hue_turn.masked_fill(factors[:, _HUE] == 0, -1)
    blends = order[~is_hue].view(-1, 3)
    for turn in range(4):
        rows = (hue_turn == turn).nonzero()[:, 0]
        if len(rows):
            shift = factors[rows, _HUE].to(images.device, non_blocking=True)
            rows = rows.to(images.device, non_blocking=True)
            images = images.index_copy(0, rows, adjust_hue(images[rows], shift))
        if turn < 3:
            kind = blends[:, turn]
            factor = factors.gather(1, kind[:, None])[:, 0]
            images = _blend(images, factor, kind)
    return images


def _blend(images: Tensor, factor: Tensor, kind: Tensor) -> Tensor:
    to_mean = (1 - factor) * (kind == _CONTRAST)
    to_gray = (1 - factor) * (kind == _SATURATION)
    weights = torch.stack([factor, to_mean, to_gray]).to(images.device, non_blocking=True)
    factor, to_mean, to_gray = weights[..., None, None, None]
    gray = to_grayscale(images)
    reference = gray.mean((-2, -1), keepdim=True).mul_(to_mean) + gray.mul_(to_gray)
    return (images * factor).add_(reference).clamp_(0, 1)


def to_grayscale(images: Tensor) -> Tensor:
    """Give the luma (ITU-R BT.601) of RGB images.

    Args:
        images: floating point [B, 3, H, W].

    Returns:
        same dtype and range, [B, 1, H, W].
    """
    red, green, blue = images.unbind(1)
    luma = (red * _LUMA[0]).add_(green, alpha=_LUMA[1]).add_(blue, alpha=_LUMA[2])
    return luma[:, None]


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue of each image by its own share of the color circle.

    Args:
        images: float32 [B, 3, H, W] in [0, 1].
        shift: [B] in [-0.5, 0.5] turns.

    Returns:
        float32 [B, 3, H, W] in [0, 1]; HSV value and saturation are as they were.
    """
    red, green, blue = images.unbind(1)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    # Hue in turns, counted from the largest channel; gray pixels have none and their zero chroma
    # makes any hue do.
    unit = chroma.clamp(min=1e-12).mul_(6)
    red_largest = value == red
    green_largest = (value == green) & ~red_largest
    blue_largest = ~(red_largest | green_largest)
    hue = (green - blue) * red_largest
    hue += (blue - red) * green_largest
    hue += (red - green) * blue_largest
    hue /= unit
    hue.add_(green_largest, alpha=1 / 3).add_(blue_largest, alpha=2 / 3)
    # A whole turn more keeps the sum positive, so that its fraction is its place on the circle.
    hue += (shift + 1)[:, None, None]
    channels = []
    for offset in (5 / 6, 3 / 6, 1 / 6):
        # How far the channel is below `value`: 0 to 1 chroma, a trapezoid over the circle.
        place = (hue + offset).frac_().mul_(6)
        below = torch.minimum(place, 4 - place).clamp_(0, 1)
        channels.append(value - below.mul_(chroma))
    return torch.stack(channels, 1)


def solarize(images: Tensor) -> Tensor:
    """Invert what is bright, as Pillow's `solarize` does from 128 of 255 on.

    Args:
        images: floating point [B, 3, H, W] in [0, 1].

    Returns:
        same dtype, shape and range.
    """
    return torch.where(images >= _BRIGHT, 1 - images, images)
