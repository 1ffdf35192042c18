"""Layers that StyleGAN2's networks share: equalized learning rate and FIR resampling.

Weights are stored unscaled and multiplied by 1/sqrt(fan_in) at run time (Karras et al. 2018,
"equalized learning rate"), so published state dicts load without conversion.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "FullyConnected",
    "blur",
    "downsample",
    "leaky_relu_gain",
    "normalize_second_moment",
    "resample_filter",
    "scaled",
    "shifted",
    "upsample",
]

LEAKY_SLOPE = 0.2
LEAKY_GAIN = math.sqrt(2)


def resample_filter(kernel: tuple[int, ...] = (1, 3, 3, 1)) -> Tensor:
    """The separable FIR filter as a normalized outer product, float32 [k, k] with sum 1."""
    taps = torch.tensor(kernel, dtype=torch.float32)
    filter_2d = taps.outer(taps)
    return filter_2d / filter_2d.sum()


def _depthwise(x: Tensor, fir: Tensor, gain: float) -> Tensor:
    channels = x.shape[1]
    size = fir.shape[-1]
    return (fir * gain).to(x.dtype).expand(channels, 1, size, size)


def blur(x: Tensor, fir: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    """Filter every channel of `x` [B, C, H, W] with `fir`, zero padding on all four sides."""
    return F.conv2d(x, _depthwise(x, fir, gain), padding=padding, groups=x.shape[1])


def upsample(x: Tensor, fir: Tensor) -> Tensor:
    """Double the size of `x` [B, C, H, W] by zero insertion and a 4-tap `fir`."""
    return F.conv_transpose2d(
        x, _depthwise(x, fir, 4.0), stride=2, padding=fir.shape[-1] // 2 - 1, groups=x.shape[1]
    )


def downsample(x: Tensor, fir: Tensor) -> Tensor:
    """Halve the size of `x` [B, C, H, W] with a 4-tap `fir`."""
    # A strided depthwise convolution would do it in one, but its backward pass is several times
    # slower on CPUs than that of the dense one followed by slicing.
    return blur(x, fir, padding=fir.shape[-1] // 2 - 1)[:, :, ::2, ::2]


def scaled(x: Tensor, factor: Tensor) -> Tensor:
    """Multiply a map that nothing else needs, in place where no gradient is recorded."""
    factor = factor.to(x.dtype)
    return x * factor if torch.is_grad_enabled() else x.mul_(factor)


def shifted(x: Tensor, shift: Tensor) -> Tensor:
    """Add to a map that nothing else needs, in place where no gradient is recorded."""
    shift = shift.to(x.dtype)
    return x + shift if torch.is_grad_enabled() else x.add_(shift)


def leaky_relu_gain(x: Tensor, clamp: float | None, gain: float = LEAKY_GAIN) -> Tensor:
    """Leaky ReLU of slope 0.2 on an input that already carries `gain`, then the clamp.

    Leaky ReLU commutes with a positive factor, so callers fold the gain into smaller tensors and
    save a pass over the feature map. The clamp is meant for unit layer gain and is rescaled. The
    input must be needed by nothing else: it is overwritten where no gradient is recorded.
    """
    x = F.leaky_relu(x, LEAKY_SLOPE, inplace=not torch.is_grad_enabled())
    if clamp is None:
        return x
    bound = clamp * gain / LEAKY_GAIN
    return x.clamp(-bound, bound) if torch.is_grad_enabled() else x.clamp_(-bound, bound)


def normalize_second_moment(x: Tensor) -> Tensor:
    """Divide every row of `x` [B, D] by its root mean square."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class FullyConnected(nn.Module):
    """Linear layer with equalized learning rate.

    Args:
        in_features: input width.
        out_features: output width.
        activation: "linear", or "lrelu" with slope 0.2 and gain sqrt(2).
        lr_multiplier: scales weight and bias at run time (0.01 in mapping networks).
        bias_init: initial effective bias.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        activation: Literal["linear", "lrelu"] = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias_init))
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` [B, in_features] to [B, out_features]."""
        gain = LEAKY_GAIN if self.activation == "lrelu" else 1.0
        weight = (self.weight * (self.weight_gain * gain)).to(x.dtype)
        bias = (self.bias * (self.bias_gain * gain)).to(x.dtype)
        y = F.linear(x, weight, bias)
        return F.leaky_relu(y, LEAKY_SLOPE) if self.activation == "lrelu" else y
