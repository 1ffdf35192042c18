"""Sizes and layers of FastGAN as Projected GAN has it (Liu et al. 2021, Sauer et al. 2021).

Parameters are named as published, so the names differ between the four variants: with one or two
convolutions a block, with or without classes.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.base import NoiseMode
from squeezespan.generators.spectral_norm import (
    StoredNormConv2d,
    StoredNormConvTranspose2d,
    StoredNormLinear,
)
from squeezespan.models.global_norm import Running, normalize_globally
from squeezespan.randomness import StepRandom

__all__ = ["EXCITATIONS", "WIDTHS", "Excitation", "FastGANConfig", "FirstLayer", "UpBlock"]

WIDTHS = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5, 512: 0.25, 1024: 0.125}
"""Channels at each resolution, as multiples of the base width."""

_MOMENTUM = 0.1

EXCITATIONS = {64: 4, 128: 8, 256: 16, 512: 32}
"""Resolution whose channels a coarser one weights, and the coarser one."""


@dataclass(frozen=True)
class FastGANConfig:
    """Constructor arguments of a FastGAN generator; defaults are the official ones."""

    resolution: int = 256
    channels: int = 3
    z_dim: int = 256
    num_classes: int = 0
    base_width: int = 128
    """Channels at 128x128."""
    lite: bool = False
    """One convolution a block instead of two."""

    @property
    def block_resolutions(self) -> list[int]:
        """8, 16, ... as far as the image is made."""
        return [size for size in WIDTHS if 4 < size <= self.resolution]

    @property
    def stored_resolutions(self) -> list[int]:
        """8, 16, ... of the blocks that checkpoints hold: those up to 256 are always there."""
        return [size for size in WIDTHS if 4 < size <= max(self.resolution, 256)]

    def block_channels(self, resolution: int) -> int:
        """Channels of the map at `resolution`."""
        return int(WIDTHS[resolution] * self.base_width)


class ConditionalNorm(nn.Module):
    """Batch norm whose gain and bias follow from a class embedding.

    By stored statistics in eval mode; in training mode by those of the batch of all processes,
    which move the stored ones.
    """

    stored_mean: Tensor
    stored_var: Tensor

    def __init__(self, embedding_dim: int, channels: int) -> None:
        super().__init__()
        self.gain = StoredNormLinear(embedding_dim, channels)
        self.bias = StoredNormLinear(embedding_dim, channels)
        self.register_buffer("stored_mean", torch.zeros(channels))
        self.register_buffer("stored_var", torch.ones(channels))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Normalize x [B, C, H, W] under embeddings [B, D]."""
        if self.training:
            gain, bias = 1 + self.gain(embedding).float(), self.bias(embedding).float()
            running = Running(self.stored_mean, self.stored_var, _MOMENTUM)
            normalized = normalize_globally(x, running=running)
            gain, bias = gain.to(x.dtype), bias.to(x.dtype)
            return torch.addcmul(bias[..., None, None], normalized, gain[..., None, None])
        scale = (self.stored_var + 1e-5).rsqrt() * (1 + self.gain(embedding).float())
        shift = self.bias(embedding).float() - self.stored_mean * scale
        scale, shift = scale.to(x.dtype), shift.to(x.dtype)
        return torch.addcmul(shift[..., None, None], x, scale[..., None, None])


class Noise(nn.Module):
    """Adds per-pixel noise times one learned weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(
        self, x: Tensor, mode: NoiseMode, random: StepRandom | None, constant: Tensor
    ) -> Tensor:
        """Add noise to x [B, C, H, W]; `constant` [1, 1, H, W] is that of mode "const"."""
        batch, _, height, width = x.shape
        if mode == "none":
            return x
        if mode == "const":
            noise = constant
        elif random is None:
            noise = torch.randn(batch, 1, height, width, device=x.device)
        else:
            noise = random.normal(batch, 1, height, width)
        return x + (self.weight * noise).to(x.dtype)


class FirstLayer(nn.Module):
    """z as a 1x1 map to the 4x4 map."""

    def __init__(self, config: FastGANConfig) -> None:
        super().__init__()
        doubled = 2 * config.block_channels(4)
        self.init = nn.Sequential(
            StoredNormConvTranspose2d(config.z_dim, doubled, 4),
            nn.BatchNorm2d(doubled),
            nn.GLU(dim=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map z [B, z_dim], scaled to unit root mean square, to [B, C, 4, 4]."""
        scaled = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        x: Tensor = self.init(scaled[..., None, None])
        return x


class UpBlock(nn.Module):
    """Nearest upsampling, then once or twice: convolution, noise, batch norm, gated activation.

    The original has no constant noise. "const" is a map drawn once from a fixed seed, so that
    equal latents give equal images of the distribution that the network was trained for.
    """

    def __init__(self, config: FastGANConfig, resolution: int) -> None:
        super().__init__()
        self.conditional = config.num_classes > 0
        if self.conditional:
            self.steps = (
                [("conv", "", "bn")]
                if config.lite
                else [("conv1", "noise", "bn1"), ("conv2", "noise", "bn2")]
            )
        else:
            self.steps = [("1", "", "2")] if config.lite else [("1", "2", "3"), ("5", "6", "7")]
        channels = config.block_channels(resolution)
        in_channels = config.block_channels(resolution // 2)
        for conv, noise, norm in self.steps:
            self.add_module(conv, StoredNormConv2d(in_channels, 2 * channels, 3, padding=1))
            if noise:
                self.add_module(noise, Noise())
                constant = StepRandom(0, stream=f"fastgan-noise-{resolution}-{conv}")
                self.register_buffer(
                    f"constant_{conv}",
                    constant.normal(1, 1, resolution, resolution),
                    persistent=False,
                )
            self.add_module(
                norm,
                ConditionalNorm(config.z_dim, 2 * channels)
                if self.conditional
                else nn.BatchNorm2d(2 * channels),
            )
            in_channels = channels

    def forward(
        self, x: Tensor, embedding: Tensor | None, mode: NoiseMode, random: StepRandom | None
    ) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, 2H, 2W], under class embeddings [B, D]."""
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        for conv, noise, norm in self.steps:
            x = self.get_submodule(conv)(x)
            if noise:
                constant = self.get_buffer(f"constant_{conv}")
                x = self.get_submodule(noise)(x, mode, random, constant)
            normalize = self.get_submodule(norm)
            x = F.glu(normalize(x, embedding) if self.conditional else normalize(x), dim=1)
        return x


class Excitation(nn.Module):
    """Weights the channels of a fine map by what a coarse map says (skip-layer excitation)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            StoredNormConv2d(in_channels, out_channels, 4),
            nn.SiLU(),
            StoredNormConv2d(out_channels, out_channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Scale fine [B, C, H, W] by coarse [B, C_in, h, w]."""
        weights: Tensor = self.main(coarse)
        return fine * weights
