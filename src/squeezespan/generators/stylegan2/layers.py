"""The layers of StyleGAN2's synthesis network (Karras et al. 2020), parameters named as published.

Modulated convolution is computed in its dense form: the style scales the input channels, one
convolution with shared weights follows, and the demodulation coefficients scale the output
channels. This equals the grouped form and runs at the speed of an ordinary convolution.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.base import NoiseMode
from squeezespan.generators.layers import (
    LEAKY_GAIN,
    FullyConnected,
    blur,
    leaky_relu_gain,
    resample_filter,
    scaled,
    shifted,
    upsample,
)
from squeezespan.generators.stylegan2.winograd import pays, winograd_conv, winograd_kernel
from squeezespan.randomness import StepRandom

__all__ = ["Skip", "SynthesisLayer", "ToRGB"]


class _Kernel(NamedTuple):
    """What of a layer's convolution depends on its weight alone."""

    energy: Tensor
    """Squared kernels, summed over their taps, float32 [C_in, C_out]."""
    taps: Tensor
    """In the type of the maps, as the convolution takes it."""
    winograd: bool


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU; doubles the size where `up`."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        resolution: int,
        *,
        up: bool = False,
        conv_clamp: float | None = None,
        use_noise: bool = True,
    ) -> None:
        super().__init__()
        self.up = up
        self.conv_clamp = conv_clamp
        self.resolution = resolution
        self.affine = FullyConnected(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.use_noise = use_noise
        if use_noise:
            self.noise_strength = nn.Parameter(torch.zeros([]))
            self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.register_buffer("resample_filter", resample_filter())
        self.frozen = False
        """Whether the kernel may be kept from call to call."""
        self._kept: tuple[tuple[object, ...], _Kernel] | None = None

    def forward(
        self, x: Tensor, w: Tensor, noise: NoiseMode, random: StepRandom | None, gain: float = 1.0
    ) -> Tensor:
        """Map x [B, C_in, H, W] under w [B, w_dim] to [B, C_out, H', W']."""
        total_gain = LEAKY_GAIN * gain
        style = self.affine(w)
        kernel = self._kernel(x)
        if x.dtype == torch.float16:
            # The factor cancels in the demodulation; without it half precision overflows.
            style = style / style.abs().amax(dim=1, keepdim=True)
        demodulation = (style.square() @ kernel.energy + 1e-8).rsqrt()
        x = self._convolve(x * style.to(x.dtype)[:, :, None, None], kernel)
        x = scaled(x, (demodulation * total_gain)[:, :, None, None])
        shift = (self.bias * total_gain)[None, :, None, None]
        if noise == "const" and self.use_noise:
            shift = shift + self.noise_const * (self.noise_strength * total_gain)
        elif noise == "random" and self.use_noise:
            drawn = self._random_noise(x, random)
            x = shifted(x, drawn * (self.noise_strength * total_gain))
        return leaky_relu_gain(shifted(x, shift), self.conv_clamp, total_gain)

    def _convolve(self, x: Tensor, kernel: _Kernel) -> Tensor:
        if self.up:
            x = F.conv_transpose2d(x, kernel.taps, stride=2)
            return blur(x, self.resample_filter, padding=1, gain=4.0)
        if kernel.winograd:
            return winograd_conv(x, kernel.taps)
        return F.conv2d(x, kernel.taps, padding=1)

    def _kernel(self, x: Tensor) -> _Kernel:
        """The kernel for maps like `x`; that of a frozen layer is kept from call to call."""
        weight = self.weight
        fixed = self.frozen and not weight.requires_grad and not weight.is_inference()
        if not fixed or torch.is_grad_enabled():
            return self._make_kernel(x, to_keep=False)
        key = (weight.data_ptr(), weight._version, weight.device, x.dtype, x.shape[-1])
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, self._make_kernel(x, to_keep=True))
        return self._kept[1]

    def _make_kernel(self, x: Tensor, *, to_keep: bool) -> _Kernel:
        weight: Tensor = self.weight
        if x.dtype == torch.float16:
            # Cancels, too.
            weight = weight / weight.abs().amax(dim=(1, 2, 3), keepdim=True)
        energy = weight.square().sum(dim=(2, 3)).t()
        if self.up:
            taps = weight.to(x.dtype).transpose(0, 1)
            return _Kernel(energy, taps.contiguous() if to_keep else taps, winograd=False)
        out_channels, in_channels = weight.shape[:2]
        size, device = x.shape[-1], x.device.type
        if to_keep and pays(in_channels, out_channels, size, x.dtype, device):
            return _Kernel(energy, winograd_kernel(weight, x.dtype), winograd=True)
        return _Kernel(energy, weight.to(x.dtype), winograd=False)

    def _random_noise(self, x: Tensor, random: StepRandom | None) -> Tensor:
        if random is None:
            return torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device)
        return random.normal(x.shape[0], 1, self.resolution, self.resolution)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to an image, without demodulation or activation."""

    def __init__(
        self, in_channels: int, out_channels: int, w_dim: int, conv_clamp: float | None
    ) -> None:
        super().__init__()
        self.conv_clamp = conv_clamp
        self.affine = FullyConnected(w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] under w [B, w_dim] to an image, float32 [B, channels, H, W]."""
        style = self.affine(w) * self.weight_gain
        # Three output channels: kernels of their own for every image are smaller than its map.
        kernels = (style[:, :, None] * self.weight[:, :, 0, 0].t()).to(x.dtype)
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2) @ kernels
        rgb: Tensor = pixels.transpose(1, 2).reshape(len(x), -1, *x.shape[2:]).float()
        rgb = rgb + self.bias[:, None, None]
        return rgb if self.conv_clamp is None else rgb.clamp(-self.conv_clamp, self.conv_clamp)


class Skip(nn.Module):
    """The `resnet` architecture's shortcut: 1x1 convolution, then upsampling."""

    resample_filter: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        self.register_buffer("resample_filter", resample_filter())
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor, gain: float) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, 2H, 2W], times `gain`."""
        x = F.conv2d(x, (self.weight * (self.weight_gain * gain)).to(x.dtype))
        return upsample(x, self.resample_filter)
