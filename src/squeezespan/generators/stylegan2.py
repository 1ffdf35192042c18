"""StyleGAN2 generator in plain PyTorch (Karras et al. 2020), parameters named as published."""

import math
from dataclasses import dataclass
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.base import (
    Generated,
    Generator,
    GeneratorInfo,
    Latents,
    NoiseMode,
)
from squeezespan.generators.layers import (
    FullyConnected,
    normalize_second_moment,
    resample_filter,
    upsample,
)
from squeezespan.generators.stylegan2_layers import Skip, SynthesisLayer, ToRGB
from squeezespan.randomness import StepRandom

__all__ = ["Architecture", "Mapping", "StyleGAN2Config", "StyleGAN2Generator", "Synthesis"]

Architecture = Literal["skip", "resnet", "orig"]


@dataclass(frozen=True)
class StyleGAN2Config:
    """Constructor arguments of a StyleGAN2 generator; defaults are the published ones."""

    resolution: int = 32
    channels: int = 3
    z_dim: int = 512
    w_dim: int = 512
    num_classes: int = 0
    channel_base: int = 32768
    channel_max: int = 512
    mapping_layers: int = 8
    mapping_width: int | None = None
    """Width of the hidden mapping layers; None is `w_dim`."""
    architecture: Architecture = "skip"
    conv_clamp: float | None = None
    w_avg_beta: float = 0.995

    @property
    def block_resolutions(self) -> list[int]:
        """4, 8, ..., resolution."""
        return [2**i for i in range(2, self.resolution.bit_length())]

    def block_channels(self, resolution: int) -> int:
        """Width of the block at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)


class Mapping(nn.Module):
    """Mapping network: z (and a class) to w. Without z (`z_dim` 0) it embeds the class alone.

    Args:
        z_dim: width of z, 0 for none.
        num_classes: 0 for unconditional.
        w_dim: width of the output.
        layers: number of fully connected layers.
        width: width of the hidden layers.
        w_avg_beta: decay of the running average of w; None keeps no average.
    """

    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        num_classes: int,
        w_dim: int,
        layers: int,
        width: int | None = None,
        w_avg_beta: float | None = 0.995,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.layers = layers
        self.w_avg_beta = w_avg_beta
        embed_dim = w_dim if num_classes else 0
        widths = [z_dim + embed_dim, *[width or w_dim] * (layers - 1), w_dim]
        if num_classes:
            self.embed = FullyConnected(num_classes, embed_dim)
        for i in range(layers):
            layer = FullyConnected(widths[i], widths[i + 1], activation="lrelu", lr_multiplier=0.01)
            self.add_module(f"fc{i}", layer)
        if w_avg_beta is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor | None, labels: Tensor | None, track: bool = False) -> Tensor:
        """Map z [B, z_dim] and class indices [B] to w [B, w_dim], float32.

        Args:
            z: latent, or None where the network was made without.
            labels: class indices, None for an unconditional network.
            track: update the running average of w (while a GAN is trained).
        """
        parts = [] if z is None else [normalize_second_moment(z.float())]
        if labels is not None:
            one_hot = F.one_hot(labels, self.num_classes).float()
            parts.append(normalize_second_moment(self.embed(one_hot)))
        w = torch.cat(parts, dim=1)
        for i in range(self.layers):
            w = self.get_submodule(f"fc{i}")(w)
        if track and self.w_avg_beta is not None:
            average = w.detach().mean(dim=0)
            self.w_avg.copy_(average.lerp(self.w_avg, self.w_avg_beta))
        return w


class SynthesisBlock(nn.Module):
    """All layers of one output resolution."""

    resample_filter: Tensor

    def __init__(self, config: StyleGAN2Config, resolution: int) -> None:
        super().__init__()
        out_channels = config.block_channels(resolution)
        self.resolution = resolution
        self.is_first = resolution == 4
        self.architecture = config.architecture
        self.compute_dtype = torch.float32
        self.register_buffer("resample_filter", resample_filter())
        if self.is_first:
            self.const = nn.Parameter(torch.randn(out_channels, resolution, resolution))
        else:
            in_channels = config.block_channels(resolution // 2)
            self.conv0 = SynthesisLayer(
                in_channels,
                out_channels,
                config.w_dim,
                resolution,
                up=True,
                conv_clamp=config.conv_clamp,
            )
            if config.architecture == "resnet":
                self.skip = Skip(in_channels, out_channels)
        self.conv1 = SynthesisLayer(
            out_channels, out_channels, config.w_dim, resolution, conv_clamp=config.conv_clamp
        )
        self.num_conv = 1 if self.is_first else 2
        self.has_rgb = config.architecture == "skip" or resolution == config.resolution
        if self.has_rgb:
            self.torgb = ToRGB(out_channels, config.channels, config.w_dim, config.conv_clamp)

    def forward(
        self,
        x: Tensor | None,
        image: Tensor | None,
        ws: Tensor,
        noise: NoiseMode,
        random: StepRandom | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Give this block's feature map and the image so far.

        Args:
            x: the previous block's feature map; None in the first block.
            image: the previous block's image, float32; None where there is none yet.
            ws: float32 [B, num_conv + 1, w_dim]; the last row is ToRGB's.
            noise: see `Generator.forward`.
            random: see `Generator.forward`.
        """
        if x is None:
            first = self.const.to(self.compute_dtype).expand(ws.shape[0], -1, -1, -1)
            x = self.conv1(
                first.contiguous(memory_format=torch.channels_last), ws[:, 0], noise, random
            )
        else:
            x = x.to(self.compute_dtype)
            if self.architecture == "resnet":
                half = math.sqrt(0.5)
                shortcut = self.skip(x, half)
                x = self.conv0(x, ws[:, 0], noise, random)
                x = shortcut + self.conv1(x, ws[:, 1], noise, random, gain=half)
            else:
                x = self.conv0(x, ws[:, 0], noise, random)
                x = self.conv1(x, ws[:, 1], noise, random)
        if image is not None:
            image = upsample(image, self.resample_filter)
        if self.has_rgb:
            rgb = self.torgb(x, ws[:, self.num_conv])
            image = rgb if image is None else image + rgb
        return x, image


class Synthesis(nn.Module):
    """Synthesis network: w of every layer to an image and the feature map of every block."""

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.resolutions = config.block_resolutions
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(config, resolution))
        self.num_ws = sum(block.num_conv for block in self.blocks()) + 1

    def blocks(self) -> list[SynthesisBlock]:
        """The blocks, coarse to fine."""
        found = [self.get_submodule(f"b{resolution}") for resolution in self.resolutions]
        return [block for block in found if isinstance(block, SynthesisBlock)]

    def forward(
        self, ws: Tensor, noise: NoiseMode, random: StepRandom | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Map ws [B, num_ws, w_dim] to an image [B, channels, R, R] and {block: feature map}."""
        x: Tensor | None = None
        image: Tensor | None = None
        features: dict[str, Tensor] = {}
        row = 0
        for block in self.blocks():
            rows = ws[:, row : row + block.num_conv + 1]
            x, image = block(x, image, rows, noise, random)
            features[f"b{block.resolution}"] = x
            row += block.num_conv
        assert image is not None
        return image, features


class StyleGAN2Generator(Generator):
    """StyleGAN2 and StyleGAN2-ADA generator, unconditional or class-conditional.

    Args:
        config: the sizes; `StyleGAN2Config()` gives the published defaults at 32x32.
    """

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.synthesis = Synthesis(config)
        self.mapping = Mapping(
            config.z_dim,
            config.num_classes,
            config.w_dim,
            config.mapping_layers,
            config.mapping_width,
            config.w_avg_beta,
        )

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        return GeneratorInfo(
            family="stylegan2",
            resolution=config.resolution,
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.w_dim,
            num_ws=self.synthesis.num_ws,
            num_classes=config.num_classes,
            block_channels={f"b{r}": config.block_channels(r) for r in config.block_resolutions},
        )

    def freeze(self) -> Self:
        """Fix the weights; layers keep their kernels in the form that they are computed with."""
        for module in self.synthesis.modules():
            if isinstance(module, SynthesisLayer):
                module.frozen = True
        return super().freeze()

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Compute blocks from 8x8 on in `dtype`; parameters stay float32."""
        for block in self.synthesis.blocks():
            block.compute_dtype = dtype if block.resolution >= 8 else torch.float32

    def map(
        self, latents: Latents, *, truncation: float = 1.0, truncation_cutoff: int | None = None
    ) -> Tensor:
        """Map latents to w, float32 [B, num_ws, w_dim].

        Args:
            latents: z and classes.
            truncation: psi; 1 leaves w alone, 0 gives the average.
            truncation_cutoff: truncate only the first rows; None truncates all.

        Raises:
            UserError: a conditional generator without labels, or an unconditional one with them.
        """
        w: Tensor = self.mapping(latents.z, self.labels_of(latents))
        ws = w[:, None].expand(-1, self.synthesis.num_ws, -1)
        if truncation == 1.0:
            return ws
        cutoff = self.synthesis.num_ws if truncation_cutoff is None else truncation_cutoff
        truncated = self.mapping.w_avg.lerp(ws[:, :cutoff], truncation)
        return torch.cat([truncated, ws[:, cutoff:]], dim=1)

    def synthesise(
        self, ws: Tensor, *, noise: NoiseMode = "const", random: StepRandom | None = None
    ) -> Generated:
        """Synthesise from w of every layer, float32 [B, num_ws, w_dim]."""
        images, features = self.synthesis(ws, noise, random)
        return Generated(images, features, ws)

    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features; see `Generator.forward`."""
        ws = self.map(latents, truncation=truncation)
        return self.synthesise(ws, noise=noise, random=random)
