"""StyleGAN2 generator in plain PyTorch (Karras et al. 2020), parameters named as published."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.base import (
    Generated,
    GeneratorInfo,
    Latents,
    NoiseMode,
    check_noise,
)
from squeezespan.generators.layers import resample_filter, upsample
from squeezespan.generators.mapping import MappedGenerator, Mapping
from squeezespan.generators.stylegan2.layers import Skip, SynthesisLayer, ToRGB
from squeezespan.randomness import StepRandom
from squeezespan.settings import Range

__all__ = ["Architecture", "StyleGAN2Config", "StyleGAN2Generator", "Synthesis"]

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
    mapping_embed_width: int | None = None
    """Width of the class's embedding; None is `w_dim`."""
    architecture: Architecture = "skip"
    conv_clamp: float | None = None
    w_avg_beta: float = 0.995
    mapping_lr_multiplier: Annotated[float, Range(0, 100, above=True)] = 0.01
    """Scales the mapping layers' weights and biases at run time."""
    use_noise: bool = True
    """Whether the layers have noise inputs."""
    widths: tuple[int, ...] | None = None
    """Channels of every block, coarse to fine, where base and maximum don't give them."""

    def __post_init__(self) -> None:
        if self.widths is not None:
            object.__setattr__(self, "widths", tuple(self.widths))
            if len(self.widths) != len(self.block_resolutions):
                raise UserError(
                    f"{len(self.widths)} widths are given for {len(self.block_resolutions)} blocks"
                )

    @property
    def block_resolutions(self) -> list[int]:
        """4, 8, ..., resolution."""
        return [2**i for i in range(2, self.resolution.bit_length())]

    def block_channels(self, resolution: int) -> int:
        """Width of the block at `resolution`."""
        if self.widths is not None:
            return self.widths[resolution.bit_length() - 3]
        return min(self.channel_base // resolution, self.channel_max)


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
                use_noise=config.use_noise,
            )
            if config.architecture == "resnet":
                self.skip = Skip(in_channels, out_channels)
        self.conv1 = SynthesisLayer(
            out_channels,
            out_channels,
            config.w_dim,
            resolution,
            conv_clamp=config.conv_clamp,
            use_noise=config.use_noise,
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


class StyleGAN2Generator(MappedGenerator):
    """StyleGAN2 and StyleGAN2-ADA generator, unconditional or class-conditional.

    Args:
        config: the sizes; `StyleGAN2Config()` gives the published defaults at 32x32.
    """

    mapping: Mapping

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
            config.mapping_embed_width,
            config.w_avg_beta,
            config.mapping_lr_multiplier,
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

    def synthesise(
        self, ws: Tensor, *, noise: NoiseMode = "const", random: StepRandom | None = None
    ) -> Generated:
        """Synthesise from w of every layer; see `Generator.synthesise`.

        Raises:
            UserError: an unknown noise mode.
        """
        check_noise(noise)
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
