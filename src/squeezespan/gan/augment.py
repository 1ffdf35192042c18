"""Discriminator augmentation: the `bgc` pipeline of ADA (Karras et al. 2020).

Pixel blitting, general geometric transformations and colour transformations are each applied with
probability p to every image, real and generated, that the discriminator sees (Appendix B there).
All operations are differentiable twice with respect to the images, as R1 regularization needs.
"""

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from squeezespan.randomness import StepRandom

__all__ = ["augment_bgc"]

# Low-pass analysis filter of the Symlet-6 wavelet, the paper's resampling filter.
_SYMLET6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
_LUMA = 1 / math.sqrt(3)

_XINT_MAX = 0.125
_SCALE_STD = 0.2
_XFRAC_STD = 0.125
_BRIGHTNESS_STD = 0.2
_CONTRAST_STD = 0.5
_SATURATION_STD = 1.0


class _GridSample(torch.autograd.Function):
    """Bilinear grid sampling with a fixed grid, differentiable any number of times in the images.

    The operation is linear in the images, so the gradient of its gradient is the operation itself.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = images.shape
        return F.grid_sample(images, grid, align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (grid,) = ctx.saved_tensors
        return _GridSampleAdjoint.apply(gradients[0], grid, ctx.shape), None


class _GridSampleAdjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        bilinear, zeros = 0, 0
        images = gradient.new_zeros(shape)
        scattered, _ = torch.ops.aten.grid_sampler_2d_backward(
            gradient.contiguous(), images, grid, bilinear, zeros, False, [True, False]
        )
        return cast(Tensor, scattered)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (grid,) = ctx.saved_tensors
        return _GridSample.apply(gradients[0], grid), None, None


class _Draws:
    """Per-image parameters; an operation that is not drawn for an image gets its neutral value."""

    def __init__(self, n: int, random: StepRandom) -> None:
        self.n = n
        self.random = random

    def _applied(self, probability: Tensor | float, value: Tensor, neutral: float) -> Tensor:
        chosen = self.random.uniform(self.n) < probability
        return torch.where(chosen, value, neutral)

    def choice(self, probability: Tensor | float, options: int) -> Tensor:
        return self._applied(probability, self.random.integers(self.n, high=options).float(), 0.0)

    def uniform(self, probability: Tensor | float, bound: float) -> Tensor:
        return self._applied(probability, self.random.uniform(self.n, low=-bound, high=bound), 0.0)

    def uniform_pair(self, probability: Tensor | float, bound: float) -> tuple[Tensor, Tensor]:
        """Both or none of them."""
        chosen = self.random.uniform(self.n) < probability
        values = self.random.uniform(self.n, 2, low=-bound, high=bound)
        x, y = torch.where(chosen[:, None], values, 0.0).unbind(dim=1)
        return x, y

    def normal(self, probability: Tensor | float, std: float) -> Tensor:
        return self._applied(probability, self.random.normal(self.n) * std, 0.0)

    def normal_pair(self, probability: Tensor | float, std: float) -> tuple[Tensor, Tensor]:
        """Both or none of them."""
        chosen = self.random.uniform(self.n) < probability
        x, y = torch.where(chosen[:, None], self.random.normal(self.n, 2) * std, 0.0).unbind(dim=1)
        return x, y

    def log2_normal(self, probability: Tensor | float, std: float) -> Tensor:
        return self._applied(probability, torch.exp2(self.random.normal(self.n) * std), 1.0)


def _matrix(rows: list[list[Tensor | float]]) -> Tensor:
    """Stack scalars and [B] tensors to [B, rows, columns]."""
    like = next(item for row in rows for item in row if isinstance(item, Tensor))
    cells = [
        item if isinstance(item, Tensor) else torch.full_like(like, item)
        for row in rows
        for item in row
    ]
    return torch.stack(cells, dim=1).reshape(len(like), len(rows), len(rows[0]))


def _scale(x: Tensor, y: Tensor) -> Tensor:
    return _matrix([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]])


def _rotate(angle: Tensor) -> Tensor:
    cos, sin = angle.cos(), angle.sin()
    return _matrix([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _translate(x: Tensor, y: Tensor) -> Tensor:
    return _matrix([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _inverse_geometry(draws: _Draws, p: float, size: int) -> Tensor:
    """Where each output pixel comes from: [B, 3, 3] in pixels from the image's centre."""
    flip = 1 - 2 * draws.choice(p, 2)
    quarter = draws.choice(p, 4) * (math.pi / 2)
    shift_x, shift_y = ((shift * size).round() for shift in draws.uniform_pair(p, _XINT_MAX))
    # The two rotations share one probability, so that p is that of at least one of them.
    p_rotate = 1 - math.sqrt(1 - p)
    zoom = draws.log2_normal(p, _SCALE_STD)
    before = draws.uniform(p_rotate, math.pi)
    stretch = draws.log2_normal(p, _SCALE_STD)
    after = draws.uniform(p_rotate, math.pi)
    fraction_x, fraction_y = (shift * size for shift in draws.normal_pair(p, _XFRAC_STD))
    steps = [
        _scale(flip, torch.ones_like(flip)),
        _rotate(quarter),
        _translate(-shift_x, -shift_y),
        _scale(1 / zoom, 1 / zoom),
        _rotate(before),
        _scale(1 / stretch, stretch),
        _rotate(after),
        _translate(-fraction_x, -fraction_y),
    ]
    inverse = steps[0]
    for step in steps[1:]:
        inverse = inverse @ step
    return inverse


def _resample_axis(x: Tensor, up: bool) -> Tensor:
    """Double or halve the last axis with the wavelet filter; halving is doubling's adjoint."""
    taps = torch.tensor(_SYMLET6, device=x.device, dtype=x.dtype)
    kernel = (taps / taps.sum()).expand(x.shape[1], 1, 1, len(taps))
    padding = (0, len(taps) // 2 - 1)
    channels = x.shape[1]
    if up:
        return F.conv_transpose2d(x, kernel * 2, stride=(1, 2), padding=padding, groups=channels)
    return F.conv2d(x, kernel, stride=(1, 2), padding=padding, groups=channels)


def _resample(x: Tensor, up: bool) -> Tensor:
    x = _resample_axis(x, up)
    return _resample_axis(x.transpose(2, 3), up).transpose(2, 3)


def _warp(images: Tensor, inverse: Tensor) -> Tensor:
    """Resample [B, C, S, S] by `inverse` [B, 3, 3], reflecting what lies outside."""
    size = images.shape[-1]
    border = len(_SYMLET6) // 4 * 2
    half = (size - 1) / 2
    linear, offset = inverse[:, :2, :2], inverse[:, :2, 2:]
    # How far from the centre the farthest corner comes from.
    reach = float((half * linear.abs().sum(2, keepdim=True) + offset.abs()).max())
    margin = min(max(math.ceil(reach - half) + border, 0), size - 1)
    padded = F.pad(images, [margin] * 4, mode="reflect")
    large = _resample(padded, up=True)
    out_size = size + 2 * border
    ratio = out_size / padded.shape[-1]
    # The wavelet filter is not symmetric: it puts a pixel's weight half a fine pixel before the
    # pixel's centre, so the fine grids are transformed about a point that is off by as much.
    delay = offset.new_full((2, 1), -0.5)
    fine_offset = 2 * offset + delay - linear @ delay
    theta = torch.cat([linear * ratio, fine_offset / padded.shape[-1]], dim=2)
    shape = [images.shape[0], images.shape[1], 2 * out_size, 2 * out_size]
    grid = F.affine_grid(theta, shape, align_corners=False)
    warped: Tensor = _GridSample.apply(large, grid)
    return _resample(warped, up=False)[:, :, border:-border, border:-border]


def _color(draws: _Draws, p: float) -> tuple[Tensor, Tensor]:
    """Brightness to be added to RGB in [-1, 1], [B], and the matrix that follows, [B, 3, 3]."""
    brightness = draws.normal(p, _BRIGHTNESS_STD)
    contrast = draws.log2_normal(p, _CONTRAST_STD)[:, None, None]
    luma_flip = draws.choice(p, 2)[:, None, None]
    hue = draws.uniform(p, math.pi)[:, None, None]
    saturation = draws.log2_normal(p, _SATURATION_STD)[:, None, None]
    eye = torch.eye(3, device=brightness.device)
    # Projection on the grey axis v = (1, 1, 1) / sqrt(3), and the cross product with v.
    grey = torch.full_like(eye, 1 / 3)
    cross = eye.new_tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * _LUMA
    matrix = eye * contrast
    for step in (
        eye - 2 * grey * luma_flip,
        eye * hue.cos() + cross * hue.sin() + grey * (1 - hue.cos()),
        grey + (eye - grey) * saturation,
    ):
        matrix = step @ matrix
    return brightness, matrix


def augment_bgc(images: Tensor, p: float, random: StepRandom) -> Tensor:
    """Augment images as the discriminator shall see them.

    Args:
        images: float32 RGB [B, 3, S, S] in [-1, 1].
        p: probability of each transformation, 0 to 1; 0 returns the images themselves.
        random: source of the per-image parameters.

    Returns:
        float32 [B, 3, S, S], not clamped.
    """
    if p == 0:
        return images
    draws = _Draws(images.shape[0], random)
    warped = _warp(images, _inverse_geometry(draws, p, images.shape[-1]))
    brightness, matrix = _color(draws, p)
    return (matrix @ (warped.flatten(2) + brightness[:, None, None])).reshape(images.shape)
