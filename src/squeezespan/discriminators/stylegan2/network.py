"""StyleGAN2 discriminator in plain PyTorch (Karras et al. 2020), parameters named as published."""

import math
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.base import check_labels
from squeezespan.generators.layers import (
    LEAKY_GAIN,
    FullyConnected,
    blur,
    downsample,
    leaky_relu_gain,
    resample_filter,
)
from squeezespan.generators.mapping import Mapping
from squeezespan.generators.stylegan2 import Architecture
from squeezespan.settings import Range

__all__ = ["Judged", "StyleGAN2Discriminator", "StyleGAN2DiscriminatorConfig"]


@dataclass(frozen=True)
class StyleGAN2DiscriminatorConfig:
    """Constructor arguments of a StyleGAN2 discriminator; defaults are the published ones."""

    resolution: int = 32
    channels: int = 3
    num_classes: int = 0
    mapping_layers: int = 8
    """Layers behind the embedding of the class; 0 in networks that come from TensorFlow."""
    mapping_lr_multiplier: float = 0.01
    channel_base: int = 32768
    channel_max: int = 512
    architecture: Architecture = "resnet"
    conv_clamp: Annotated[float, Range(0, above=True)] | None = None
    mbstd_group_size: Annotated[int, Range(1)] | None = 4
    """Images that share a minibatch standard deviation; None is the whole batch."""
    mbstd_channels: int = 1

    @property
    def block_resolutions(self) -> list[int]:
        """4, 8, ... up to the images'."""
        return [2**i for i in range(2, self.resolution.bit_length())]

    def block_channels(self, resolution: int) -> int:
        """Width that enters the block at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)


class Judged(NamedTuple):
    """What a discriminator gives."""

    logits: Tensor
    """float32 [B, 1], higher is more real."""
    features: dict[str, Tensor]
    """`b32`, `b16`, ...: output maps [B, C, r/2, r/2] of the blocks; `fc`: [B, C], the last
    hidden layer."""


class Conv(nn.Module):
    """Convolution with equalized learning rate, bias and leaky ReLU; halves the size if `down`."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        down: bool = False,
        bias: bool = True,
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.down = down
        self.conv_clamp = conv_clamp
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.register_buffer("resample_filter", resample_filter())
        self.weight_gain = 1 / math.sqrt(in_channels * kernel_size**2)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, H', W']; linear where the layer has no bias."""
        total_gain = gain if self.bias is None else gain * LEAKY_GAIN
        weight = (self.weight * (self.weight_gain * total_gain)).to(x.dtype)
        bias = None if self.bias is None else (self.bias * total_gain).to(x.dtype)
        size = weight.shape[-1]
        if not self.down:
            x = F.conv2d(x, weight, bias, padding=size // 2)
        elif size == 1:
            x = F.conv2d(downsample(x, self.resample_filter), weight, bias)
        else:
            x = F.conv2d(blur(x, self.resample_filter, padding=2), weight, bias, stride=2)
        return x if self.bias is None else leaky_relu_gain(x, self.conv_clamp, total_gain)


class DiscriminatorBlock(nn.Module):
    """All layers of one input resolution; halves it."""

    resample_filter: Tensor

    def __init__(self, config: StyleGAN2DiscriminatorConfig, resolution: int) -> None:
        super().__init__()
        channels = config.block_channels(resolution)
        out_channels = config.block_channels(resolution // 2)
        clamp = config.conv_clamp
        self.resolution = resolution
        self.architecture = config.architecture
        self.compute_dtype = torch.float32
        self.register_buffer("resample_filter", resample_filter())
        self.has_rgb = resolution == config.resolution or config.architecture == "skip"
        if self.has_rgb:
            self.fromrgb = Conv(config.channels, channels, 1, conv_clamp=clamp)
        self.conv0 = Conv(channels, channels, 3, conv_clamp=clamp)
        self.conv1 = Conv(channels, out_channels, 3, down=True, conv_clamp=clamp)
        if config.architecture == "resnet":
            self.skip = Conv(channels, out_channels, 1, down=True, bias=False)

    def forward(self, x: Tensor | None, image: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Give the block's output map and the image that the next block needs, if any."""
        if self.has_rgb:
            assert image is not None
            y = self.fromrgb(image.to(self.compute_dtype))
            x = y if x is None else x.to(self.compute_dtype) + y
            skips = self.architecture == "skip"
            image = downsample(image, self.resample_filter) if skips else None
        assert x is not None
        x = x.to(self.compute_dtype)
        if self.architecture == "resnet":
            half = math.sqrt(0.5)
            return self.skip(x, half) + self.conv1(self.conv0(x), half), image
        return self.conv1(self.conv0(x)), image


def minibatch_std(x: Tensor, group_size: int | None, channels: int) -> Tensor:
    """Append `channels` maps of the standard deviation over groups of images.

    Samples i and i + B / G are in the same group (Karras et al. 2018, Section 3).

    Args:
        x: [B, C, H, W]; B divisible by the group size.
        group_size: images in a group; None or more than B means the whole batch.
        channels: number of appended maps.

    Raises:
        UserError: the batch is empty or not a multiple of the group size.
    """
    batch, width, height, breadth = x.shape
    if not batch:
        raise UserError("a discriminator needs at least one image")
    group = batch if group_size is None else min(group_size, batch)
    if batch % group:
        raise UserError(
            f"a batch of {batch} images does not split into this discriminator's groups of {group}"
        )
    y = x.reshape(group, -1, channels, width // channels, height, breadth)
    std = (y.var(dim=0, correction=0) + 1e-8).sqrt()
    return append_statistic(x, std.mean(dim=(2, 3, 4)).repeat(group, 1))


def append_statistic(x: Tensor, statistic: Tensor) -> Tensor:
    """Append to maps x [B, C, H, W] one constant map for each number of `statistic` [B, S]."""
    maps = statistic[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, maps], dim=1)


class DiscriminatorEpilogue(nn.Module):
    """The layers at 4x4: minibatch standard deviation, convolution, two fully connected layers."""

    def __init__(self, config: StyleGAN2DiscriminatorConfig, cmap_dim: int) -> None:
        super().__init__()
        channels = config.block_channels(4)
        self.cmap_dim = cmap_dim
        self.mbstd_group_size = config.mbstd_group_size
        self.mbstd_channels = config.mbstd_channels
        if config.architecture == "skip":
            self.fromrgb = Conv(config.channels, channels, 1)
        self.conv = Conv(
            channels + config.mbstd_channels, channels, 3, conv_clamp=config.conv_clamp
        )
        self.fc = FullyConnected(channels * 16, channels, activation="lrelu")
        self.out = FullyConnected(channels, cmap_dim or 1)

    def forward(
        self, x: Tensor, image: Tensor | None, cmap: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Give logits [B, 1] and the last hidden layer [B, C]."""
        hidden = self.hidden(self.enter(x, image))
        out = self.out(hidden)
        if cmap is not None:
            out = (out * cmap).sum(dim=1, keepdim=True) / math.sqrt(self.cmap_dim)
        return out, hidden

    def enter(self, x: Tensor, image: Tensor | None) -> Tensor:
        """Give the maps that the minibatch standard deviation is taken of, float32 [B, C, 4, 4]."""
        return x.float() if image is None else x.float() + self.fromrgb(image)

    def hidden(self, x: Tensor, statistic: Tensor | None = None) -> Tensor:
        """Map what `enter` gives to the last hidden layer [B, C].

        Args:
            x: float32 [B, C, 4, 4].
            statistic: float32 [mbstd_channels], stands for the minibatch standard deviation of
                every image; None takes it of groups of the batch.
        """
        if self.mbstd_channels and statistic is None:
            x = minibatch_std(x, self.mbstd_group_size, self.mbstd_channels)
        elif self.mbstd_channels and statistic is not None:
            x = append_statistic(x, statistic.expand(len(x), -1))
        hidden: Tensor = self.fc(self.conv(x).flatten(1))
        return hidden


class StyleGAN2Discriminator(nn.Module):
    """StyleGAN2 and StyleGAN2-ADA discriminator, unconditional or class-conditional.

    Args:
        config: the sizes; `StyleGAN2DiscriminatorConfig()` gives the published defaults at 32x32.
    """

    def __init__(self, config: StyleGAN2DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.resolutions = config.block_resolutions[:0:-1]
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(config, resolution))
        cmap_dim = config.block_channels(4) if config.num_classes else 0
        if config.num_classes:
            self.mapping = Mapping(
                0,
                config.num_classes,
                cmap_dim,
                config.mapping_layers,
                w_avg_beta=None,
                lr_multiplier=config.mapping_lr_multiplier,
            )
        self.b4 = DiscriminatorEpilogue(config, cmap_dim)

    def blocks(self) -> list[DiscriminatorBlock]:
        """The blocks, fine to coarse, without the epilogue."""
        found = [self.get_submodule(f"b{resolution}") for resolution in self.resolutions]
        return [block for block in found if isinstance(block, DiscriminatorBlock)]

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Compute blocks from 8x8 on in `dtype`; parameters and the epilogue stay float32."""
        for block in self.blocks():
            block.compute_dtype = dtype

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Judged:
        """Judge images.

        Args:
            images: float32 [B, channels, R, R] in [-1, 1].
            labels: class indices, int64 [B]; None for an unconditional discriminator.

        Raises:
            UserError: a conditional discriminator without labels, an unconditional one with them,
                labels that don't fit (see `check_labels`), images of another size, or a batch that
                is not a multiple of the minibatch group.
        """
        check_labels("discriminator", self.config.num_classes, labels, len(images))
        x, image, features = self.maps(images)
        cmap = None if labels is None else self.mapping(None, labels)
        logits, features["fc"] = self.b4(x, image, cmap)
        return Judged(logits, features)

    def maps(self, images: Tensor) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """Give what enters the epilogue (map and image, if any) and the blocks' output maps.

        Args:
            images: as for `forward`; labels play no part here.

        Raises:
            UserError: images of another size.
        """
        expected = (self.config.channels, self.config.resolution, self.config.resolution)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise UserError(
                f"this discriminator judges images of shape {expected}, not "
                f"{tuple(images.shape[1:])}"
            )
        x: Tensor | None = None
        image: Tensor | None = images.contiguous(memory_format=torch.channels_last)
        features: dict[str, Tensor] = {}
        for block in self.blocks():
            x, image = block(x, image)
            features[f"b{block.resolution}"] = x
        assert x is not None
        return x, image, features
