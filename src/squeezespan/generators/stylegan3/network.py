"""StyleGAN3 generator in plain PyTorch (Karras et al. 2021), parameters named as published.

Maps carry a margin of 10 pixels on every side, and several layers share one sampling rate. Block
features follow the one rule of all families: layers are grouped by sampling rate, which is the
resolution without margins, and the last map of each group is cropped of its margins.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.layers import LEAKY_GAIN, LEAKY_SLOPE, FullyConnected
from squeezespan.generators.mapping import MappedGenerator, Mapping
from squeezespan.generators.stylegan3.config import LayerConfig, StyleGAN3Config
from squeezespan.generators.stylegan3.filters import (
    filtered_leaky_relu,
    low_pass_filter,
    radial_low_pass_filter,
)
from squeezespan.randomness import StepRandom

__all__ = ["FourierInput", "StyleGAN3Generator", "Synthesis", "SynthesisLayer"]


class FourierInput(nn.Module):
    """Fourier features on a square, rotated and translated as w says, then mixed.

    Args:
        w_dim: width of w.
        channels: number of features.
        size: side of the map.
        sampling_rate: samples per image side.
        bandwidth: highest frequency of a feature at initialization, in cycles per image side.
    """

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(
        self, w_dim: int, channels: int, size: int, sampling_rate: int, bandwidth: float
    ) -> None:
        super().__init__()
        self.size = size
        self.sampling_rate = sampling_rate
        self.bandwidth = bandwidth
        # Directions are uniform and radii spread so that frequencies fill the disc evenly.
        drawn = torch.randn(channels, 2)
        radius = drawn.norm(dim=1, keepdim=True)
        freqs = drawn / (radius * radius.square().exp().pow(0.25)) * bandwidth
        self.weight = nn.Parameter(torch.randn(channels, channels))
        self.affine = FullyConnected(w_dim, 4)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("freqs", freqs)
        self.register_buffer("phases", torch.rand(channels) - 0.5)

    def forward(self, w: Tensor) -> Tensor:
        """Map w [B, w_dim] to a map [B, channels, size, size], float32, channels last."""
        transform = self._transform(w)
        freqs = self.freqs @ transform[:, :2, :2]
        phases = self.phases + (self.freqs @ transform[:, :2, 2:]).squeeze(2)
        # A transform may raise frequencies; they fade out before the sampling limit.
        excess = freqs.norm(dim=2) - self.bandwidth
        amplitudes = (1 - excess / (self.sampling_rate / 2 - self.bandwidth)).clamp(0, 1)

        place = torch.arange(self.size, device=w.device, dtype=torch.float32)
        place = (place + 0.5 - self.size / 2) / self.sampling_rate
        along_x = place[None, :, None] * freqs[:, None, :, 0]
        along_y = place[None, :, None] * freqs[:, None, :, 1] + phases[:, None]
        waves = torch.sin(2 * math.pi * (along_y[:, :, None] + along_x[:, None]))
        weight = self.weight / math.sqrt(self.weight.shape[1])
        features: Tensor = ((waves * amplitudes[:, None, None]) @ weight.t()).permute(0, 3, 1, 2)
        return features

    def _transform(self, w: Tensor) -> Tensor:
        """The learned rotation and translation, then the user's own transform; [B, 3, 3]."""
        raw = self.affine(w)
        cosine, sine, shift_x, shift_y = (raw / raw[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        zero, one = torch.zeros_like(sine), torch.ones_like(sine)
        rotation = [cosine, -sine, zero, sine, cosine, zero, zero, zero, one]
        translation = [one, zero, -shift_x, zero, one, -shift_y, zero, zero, one]
        matrices = [torch.stack(rows, dim=1).view(-1, 3, 3) for rows in (rotation, translation)]
        return matrices[0] @ matrices[1] @ self.transform


class SynthesisLayer(nn.Module):
    """Modulated convolution, then the filtered leaky ReLU; ToRGB has neither filter nor slope."""

    magnitude_ema: Tensor
    up_filter: Tensor | None
    down_filter: Tensor | None

    def __init__(self, config: LayerConfig, w_dim: int) -> None:
        super().__init__()
        self.config = config
        kernel = config.conv_kernel
        self.affine = FullyConnected(w_dim, config.in_channels, bias_init=1.0)
        self.weight = nn.Parameter(
            torch.randn(config.out_channels, config.in_channels, kernel, kernel)
        )
        self.bias = nn.Parameter(torch.zeros(config.out_channels))
        self.register_buffer("magnitude_ema", torch.ones([]))
        self.register_buffer("up_filter", _up_filter(config))
        self.register_buffer("down_filter", _down_filter(config))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] under w [B, w_dim] to [B, C_out, H', W'] in the dtype of x."""
        config = self.config
        style = self.affine(w)
        if config.is_torgb:
            fan_in = config.in_channels * config.conv_kernel**2
            weight, out_scale = self.weight / math.sqrt(fan_in), None
        else:
            weight, style, out_scale = self._demodulate(style)
        style = style * self.magnitude_ema.rsqrt()
        x = x * style.to(x.dtype)[:, :, None, None]
        x = F.conv2d(x, weight.to(x.dtype), padding=config.conv_kernel - 1)
        # Leaky ReLU commutes with its gain, which is cheaper on scales and biases.
        bias = self.bias if config.is_torgb else self.bias * LEAKY_GAIN
        if out_scale is not None:
            x = x * out_scale.to(x.dtype)[:, :, None, None]
        return filtered_leaky_relu(
            x + bias.to(x.dtype)[None, :, None, None],
            self.up_filter,
            self.down_filter,
            up=config.up_factor,
            down=config.down_factor,
            padding=config.padding,
            slope=1.0 if config.is_torgb else LEAKY_SLOPE,
            clamp=config.conv_clamp,
        )

    def _demodulate(self, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give weight and style of unit scale, and what scales the output to unit variance."""
        # Both scales cancel in the demodulation; they keep half precision within its range.
        weight = self.weight / self.weight.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
        style = style * (style.square().mean(dim=1, keepdim=True) + 1e-12).rsqrt()
        energy = style.square() @ weight.square().sum(dim=(2, 3)).t()
        return weight, style, (energy + 1e-12).rsqrt() * LEAKY_GAIN


def _up_filter(config: LayerConfig) -> Tensor | None:
    if config.up_taps == 1:
        return None
    if config.in_cutoff is None or config.in_half_width is None:
        return torch.zeros(config.up_taps)
    return low_pass_filter(
        config.up_taps, config.in_cutoff, config.in_half_width, config.inner_sampling_rate
    )


def _down_filter(config: LayerConfig) -> Tensor | None:
    taps = config.down_taps
    if taps == 1:
        return None
    if config.out_cutoff is None or config.out_half_width is None:
        return torch.zeros([taps] * (2 if config.down_radial else 1))
    design = radial_low_pass_filter if config.down_radial else low_pass_filter
    return design(taps, config.out_cutoff, config.out_half_width, config.inner_sampling_rate)


class Synthesis(nn.Module):
    """Synthesis network: w of every layer to an image and the feature map of every block."""

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        self.input = FourierInput(
            config.w_dim,
            config.layers[0].in_channels,
            config.input_size,
            config.input_sampling_rate,
            config.input_bandwidth,
        )
        for layer in config.layers:
            self.add_module(layer.name, SynthesisLayer(layer, config.w_dim))

    def maps(self, ws: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Give the output of the input ("input") and of every layer by name, margins included.

        Args:
            ws: float32 [B, num_ws, w_dim].
        """
        x: Tensor = self.input(ws[:, 0])
        yield "input", x
        for i, layer in enumerate(self.config.layers, start=1):
            x = x.to(torch.float32 if layer.is_torgb else self.compute_dtype)
            x = self.get_submodule(layer.name)(x, ws[:, i])
            yield layer.name, x

    def forward(self, ws: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Map ws [B, num_ws, w_dim] to an image [B, channels, R, R] and {block: feature map}."""
        blocks = {layer.name: block for block, layer in self.config.block_layers.items()}
        features: dict[str, Tensor] = {}
        x = ws
        for name, x in self.maps(ws):
            if name in blocks:
                block = blocks[name]
                features[block] = _crop(x, self.config.block_layers[block].out_sampling_rate)
        return x * self.config.output_scale, features


def _crop(x: Tensor, size: int) -> Tensor:
    margin = (x.shape[-1] - size) // 2
    return x[:, :, margin : margin + size, margin : margin + size]


class StyleGAN3Generator(MappedGenerator):
    """StyleGAN3-T and -R generator, unconditional or class-conditional.

    Args:
        config: the sizes, as the functions of `stylegan3.attributes` give them.
    """

    family = "stylegan3"

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.synthesis = Synthesis(config)
        self.mapping = self._build_mapping(config)

    def _build_mapping(self, config: StyleGAN3Config) -> nn.Module:
        return Mapping(
            config.z_dim,
            config.num_classes,
            config.w_dim,
            config.mapping_layers,
            w_avg_beta=config.w_avg_beta,
            lr_multiplier=config.mapping_lr_multiplier,
        )

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        return GeneratorInfo(
            family=self.family,
            resolution=config.resolution,
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.w_dim,
            num_ws=config.num_ws,
            num_classes=config.num_classes,
            block_channels={name: x.out_channels for name, x in config.block_layers.items()},
        )

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Compute all layers but the Fourier features and ToRGB in `dtype`."""
        self.synthesis.compute_dtype = dtype

    def synthesise(
        self, ws: Tensor, *, noise: NoiseMode = "const", random: StepRandom | None = None
    ) -> Generated:
        """Synthesise from w of every layer; see `Generator.synthesise` (noise has no effect)."""
        images, features = self.synthesis(ws)
        return Generated(images, features, ws)

    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features; see `Generator.forward`.

        Args:
            latents: see `Generator.forward`.
            truncation: see `Generator.forward`.
            noise: has no effect, this family has no per-pixel noise.
            random: has no effect.
        """
        return self.synthesise(self.map(latents, truncation=truncation))
