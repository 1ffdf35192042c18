"""Gaussian blur of a batch, each image with its own sigma, as two matrix products."""

import math

import torch
from torch import Tensor

__all__ = ["blur_radius", "gaussian_blur"]


def blur_radius(largest_sigma: float, height: int, width: int) -> int:
    """Give the kernel radius that holds three sigma, and no more than reflection can fill."""
    return min(math.ceil(3 * largest_sigma), height - 1, width - 1)


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Blur each image with its own Gaussian; edges are reflected.

    Equals torchvision's `gaussian_blur` with a kernel of `2 * radius + 1` pixels, image by image.

    Args:
        images: float32 [B, C, H, W].
        sigma: [B], pixels, above 0.
        radius: of the kernel, pixels; less than H and W.

    Returns:
        float32 [B, C, H, W].
    """
    batch, channels, height, width = images.shape
    offset = torch.arange(-radius, radius + 1, device=images.device)
    taps = torch.softmax(-0.5 * (offset / sigma.to(images.device)[:, None]) ** 2, dim=1)
    rows = _blur_matrix(taps, offset, height)
    columns = _blur_matrix(taps, offset, width)
    narrow = torch.bmm(images.reshape(batch, channels * height, width), columns.mT)
    return rows[:, None] @ narrow.view(batch, channels, height, width)


def _blur_matrix(taps: Tensor, offset: Tensor, length: int) -> Tensor:
    """Banded matrices [B, length, length] of the kernels `taps` [B, K], with reflected ends."""
    pixel = torch.arange(length, device=taps.device)
    source = (pixel[:, None] + offset).abs()
    source = torch.where(source >= length, 2 * (length - 1) - source, source)
    matrix = taps.new_zeros(len(taps), length, length)
    index = source.expand(len(taps), -1, -1)
    return matrix.scatter_add_(2, index, taps[:, None].expand_as(index))
