"""Random resized crops of a batch, each image with its own box, as two matrix products.

Resampling along one axis is linear, so a crop, an antialiased resize and a horizontal flip are one
weight matrix per image and axis.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from squeezespan.randomness import StepRandom

__all__ = ["BoxNumbers", "draw_box_numbers", "draw_boxes", "place_boxes", "resized_crop"]

_ATTEMPTS = 10


@dataclass(frozen=True)
class BoxNumbers:
    """What is drawn of a batch's boxes before the sizes of the images are known."""

    share: Tensor
    """Shares of the image's area, float32 [n, attempts]."""
    aspect: Tensor
    """Width / height, float32 [n, attempts]."""
    place: Tensor
    """Where the box lies in the room that it leaves, in [0, 1), float32 [n, 2]."""
    ratio: tuple[float, float]
    """Range of the aspect."""

    def __getitem__(self, rows: slice) -> "BoxNumbers":
        return BoxNumbers(self.share[rows], self.aspect[rows], self.place[rows], self.ratio)


def draw_box_numbers(
    n: int,
    random: StepRandom,
    *,
    scale: tuple[float, float],
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> BoxNumbers:
    """Draw what `place_boxes` makes boxes of; arguments as for `draw_boxes`."""
    share = random.uniform(n, _ATTEMPTS, low=scale[0], high=scale[1])
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = random.uniform(n, _ATTEMPTS, low=low, high=high).exp()
    return BoxNumbers(share, aspect, random.uniform(n, 2), ratio)


def draw_boxes(
    n: int,
    height: int,
    width: int,
    random: StepRandom,
    *,
    scale: tuple[float, float],
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> Tensor:
    """Draw the boxes of random resized crops (Szegedy et al. 2015, as torchvision draws them).

    Area is uniform and the aspect ratio log-uniform; ten attempts, then the largest centred box
    whose aspect ratio is allowed.

    Args:
        n: number of images.
        height: of the images, pixels.
        width: of the images, pixels.
        random: source of the draws.
        scale: range of the box's share of the image's area, in (0, 1].
        ratio: range of width / height.

    Returns:
        int64 [n, 4]: top, left, height, width; always inside the image.
    """
    return place_boxes(draw_box_numbers(n, random, scale=scale, ratio=ratio), height, width)


def place_boxes(numbers: BoxNumbers, height: int, width: int) -> Tensor:
    """Make boxes for images of one size of what was drawn.

    Args:
        numbers: of `n` images.
        height: of the images, pixels.
        width: of the images, pixels.

    Returns:
        int64 [n, 4]: top, left, height, width; always inside the image.
    """
    area, aspect, place = numbers.share * (height * width), numbers.aspect, numbers.place
    heights = (area / aspect).sqrt().round().long()
    widths = (area * aspect).sqrt().round().long()
    fits = (heights > 0) & (heights <= height) & (widths > 0) & (widths <= width)
    attempts = torch.arange(_ATTEMPTS, device=fits.device).expand_as(fits)
    first = attempts.masked_fill(~fits, _ATTEMPTS).amin(1, keepdim=True)
    found = first[:, 0] < _ATTEMPTS
    first = first.clamp(max=_ATTEMPTS - 1)

    fallback_height, fallback_width = _largest_box(height, width, numbers.ratio)
    box_height = heights.gather(1, first)[:, 0].masked_fill(~found, fallback_height)
    box_width = widths.gather(1, first)[:, 0].masked_fill(~found, fallback_width)
    top = _place(place[:, 0], height - box_height, found)
    left = _place(place[:, 1], width - box_width, found)
    return torch.stack([top, left, box_height, box_width], 1)


def _largest_box(height: int, width: int, ratio: tuple[float, float]) -> tuple[int, int]:
    if width / height < ratio[0]:
        return round(width / ratio[0]), width
    if width / height > ratio[1]:
        return height, round(height * ratio[1])
    return height, width


def _place(uniform: Tensor, room: Tensor, found: Tensor) -> Tensor:
    return torch.where(found, (uniform * (room + 1)).long(), room // 2)


def resized_crop(images: Tensor, boxes: Tensor, size: int, flip: Tensor | None = None) -> Tensor:
    """Cut a box out of each image and resize it bilinearly, with antialiasing, to a square.

    Equals torchvision's `resized_crop(..., antialias=True)` on float images, image by image.
    Eight-bit images are scaled to [0, 1] and are not rounded back.

    Args:
        images: uint8 [B, C, H, W], or floating point.
        boxes: int64 [B, 4]: top, left, height, width.
        size: side of the result, pixels.
        flip: bool [B], which results are mirrored left to right.

    Returns:
        float32 [B, C, size, size]; eight-bit images in [0, 1], others in their own range.
    """
    batch, channels, height, width = images.shape
    boxes = boxes.to(images.device, non_blocking=True)
    flip = None if flip is None else flip.to(images.device, non_blocking=True)
    rows = _resize_weights(boxes[:, 0], boxes[:, 2], height, size)
    columns = _resize_weights(boxes[:, 1], boxes[:, 3], width, size, flip)
    if images.dtype == torch.uint8:
        columns /= 255
    narrow = torch.bmm(images.float().reshape(batch, channels * height, width), columns.mT)
    return rows[:, None] @ narrow.view(batch, channels, height, size)


def _resize_weights(
    start: Tensor, length: Tensor, full: int, size: int, flip: Tensor | None = None
) -> Tensor:
    """Triangle weights [B, size, full] that map pixels of a stretch of an axis to `size` pixels."""
    output = torch.arange(size, device=start.device)
    if flip is not None:
        output = torch.where(flip[:, None], size - 1 - output, output)
    step = length[:, None].double() / size
    center = (output + 0.5) * step
    whole = center.floor()
    pixel = (torch.arange(full, device=start.device) - start[:, None])[:, None]
    # Whole pixels first: their difference is exact in float32, wherever the pixel lies.
    distance = pixel.float() - whole.float()[..., None]
    distance.add_((0.5 + whole - center).float()[..., None])
    # The triangle is as wide as the step when shrinking, which is what antialiases.
    slope = -1 / step.clamp(min=1.0).float()[..., None]
    weights = distance.abs_().mul_(slope).add_(1).clamp_(min=0)
    weights *= (pixel >= 0) & (pixel < length[:, None, None])
    return weights.div_(weights.sum(-1, keepdim=True))
