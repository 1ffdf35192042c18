"""Alias-free resampling of StyleGAN3: Kaiser low-pass filters and the filtered leaky ReLU.

Source: Karras et al. 2021, "Alias-Free Generative Adversarial Networks", Section 3 and Appendix C;
the window's shape follows Kaiser 1974.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["filtered_leaky_relu", "low_pass_filter", "radial_low_pass_filter"]

# oneDNN 3.13 never returns from making some bfloat16 depthwise kernels of 24 taps.
LONGEST_HALF_PRECISION_KERNEL = 12


def low_pass_filter(taps: int, cutoff: float, half_width: float, sampling_rate: float) -> Tensor:
    """Design a separable low-pass filter: a sinc under a Kaiser window.

    Args:
        taps: length of the filter.
        cutoff: frequency where it passes half the amplitude, in the unit of `sampling_rate`.
        half_width: half of the transition band around `cutoff`.
        sampling_rate: samples per unit of length.

    Returns:
        float32 [taps] with sum 1, to be applied along each axis.
    """
    window = _kaiser_window(taps, half_width, sampling_rate)
    position = _positions(taps, sampling_rate)
    impulse = torch.sinc(2 * cutoff * position) * window
    normalized: Tensor = (impulse / impulse.sum()).float()
    return normalized


def radial_low_pass_filter(
    taps: int, cutoff: float, half_width: float, sampling_rate: float
) -> Tensor:
    """Design a rotation-invariant low-pass filter: a jinc under a separable Kaiser window.

    Args:
        taps: side of the filter; even.
        cutoff: see `low_pass_filter`.
        half_width: see `low_pass_filter`.
        sampling_rate: see `low_pass_filter`.

    Returns:
        float32 [taps, taps] with sum 1.
    """
    window = _kaiser_window(taps, half_width, sampling_rate)
    position = _positions(taps, sampling_rate)
    radius = torch.hypot(position[:, None], position[None, :])
    jinc = torch.special.bessel_j1(2 * math.pi * cutoff * radius) / radius
    impulse = jinc * window.outer(window)
    normalized: Tensor = (impulse / impulse.sum()).float()
    return normalized


def _positions(taps: int, sampling_rate: float) -> Tensor:
    return (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / sampling_rate


def _kaiser_window(taps: int, half_width: float, sampling_rate: float) -> Tensor:
    """The Kaiser window whose transition band is `2 * half_width` wide, float64 [taps]."""
    width = 4 * half_width / sampling_rate
    attenuation = 2.285 * (taps - 1) * math.pi * width + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation > 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    else:
        beta = 0.0
    return torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)


def filtered_leaky_relu(
    x: Tensor,
    up_filter: Tensor | None,
    down_filter: Tensor | None,
    *,
    up: int,
    down: int,
    padding: tuple[int, int],
    slope: float,
    clamp: float | None,
) -> Tensor:
    """Upsample, apply leaky ReLU and clamp, downsample.

    Args:
        x: [B, C, H, W].
        up_filter: [taps] float32, or None for the identity.
        down_filter: [taps] separable, [taps, taps] radial, or None for the identity.
        up: upsampling factor.
        down: downsampling factor.
        padding: samples to add before and after each axis once zeros are inserted; negative crops.
        slope: of the negative half; 1 leaves the input alone.
        clamp: bound of the absolute value, None for none.
    """
    if up_filter is not None:
        taps = up_filter * up
        x = _filter_axis(_insert_zeros(x, 2, up, padding), taps, 2)
        x = _filter_axis(_insert_zeros(x, 3, up, padding), taps, 3)
    if slope != 1:
        x = F.leaky_relu(x, slope)
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    if down_filter is None:
        return x
    if down_filter.ndim == 1:
        x = _filter_axis(x, down_filter, 2, down)
        return _filter_axis(x, down_filter, 3, down)
    return _depthwise(x, down_filter, (down, down))


def _insert_zeros(x: Tensor, axis: int, up: int, padding: tuple[int, int]) -> Tensor:
    """Put `up - 1` zeros after every sample along `axis`, then pad or crop its two ends."""
    # Zeros and an ordinary depthwise convolution beat a transposed one by far on CPUs, and
    # do as well as separate convolutions of the filter's phases.
    before, after = padding
    size = x.shape[axis]
    length = size * up + before + after
    skipped = max(0, math.ceil(-before / up))
    start = before + skipped * up
    count = min(size - skipped, math.ceil((length - start) / up))
    shape = list(x.shape)
    shape[axis] = length
    spread = torch.empty(
        shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last
    ).zero_()
    kept = x.narrow(axis, skipped, count)
    rows = slice(start, start + (count - 1) * up + 1, up)
    if axis == 2:
        spread[:, :, rows] = kept
    else:
        spread[:, :, :, rows] = kept
    return spread


def _filter_axis(x: Tensor, taps: Tensor, axis: int, stride: int = 1) -> Tensor:
    if axis == 2:
        return _depthwise(x, taps[:, None], (stride, 1))
    return _depthwise(x, taps[None, :], (1, stride))


def _depthwise(x: Tensor, kernel: Tensor, stride: tuple[int, int]) -> Tensor:
    """Filter every channel with the same symmetric `kernel` [kh, kw], without padding."""
    channels, dtype = x.shape[1], x.dtype
    if x.device.type == "cpu" and max(kernel.shape) > LONGEST_HALF_PRECISION_KERNEL:
        x = x.float()
    weight = kernel.to(x.dtype).expand(channels, 1, *kernel.shape)
    return F.conv2d(x, weight, stride=stride, groups=channels).to(dtype)
