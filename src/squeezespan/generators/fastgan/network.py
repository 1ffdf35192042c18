"""FastGAN generator of Projected GAN (Liu et al. 2021, Sauer et al. 2021), 64x64 to 1024x1024.

Block features are the first map, the blocks' outputs and, from 64x64 on, what leaves the
skip-layer excitation. There is no mapping network: `w` is z, whose length doesn't matter.
"""

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
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.generators.fastgan.blocks import (
    EXCITATIONS,
    WIDTHS,
    Excitation,
    FastGANConfig,
    FirstLayer,
    UpBlock,
)
from squeezespan.generators.spectral_norm import StoredNormConv2d
from squeezespan.randomness import StepRandom

__all__ = ["FastGANConfig", "FastGANGenerator"]


class FastGANSynthesis(nn.Module):
    """z and classes to an image and the map of every resolution."""

    def __init__(self, config: FastGANConfig) -> None:
        super().__init__()
        self.config = config
        if config.num_classes:
            self.embed = nn.Embedding(config.num_classes, config.z_dim)
        self.init = FirstLayer(config)
        for size in config.stored_resolutions:
            self.add_module(f"feat_{size}", UpBlock(config, size))
            if size in EXCITATIONS:
                coarse = config.block_channels(EXCITATIONS[size])
                self.add_module(f"se_{size}", Excitation(coarse, config.block_channels(size)))
        last = config.block_channels(config.resolution)
        self.to_big = StoredNormConv2d(last, config.channels, 3, padding=1, bias=True)

    def forward(
        self, z: Tensor, labels: Tensor | None, noise: NoiseMode, random: StepRandom | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Map z [B, z_dim] and class indices [B] to images and {block: feature map}."""
        embedding = None if labels is None else self.embed(labels)
        x = self.init(z).contiguous(memory_format=torch.channels_last)
        maps = {4: x}
        for size in self.config.block_resolutions:
            x = self.get_submodule(f"feat_{size}")(x, embedding, noise, random)
            if size in EXCITATIONS:
                x = self.get_submodule(f"se_{size}")(maps[EXCITATIONS[size]], x)
            maps[size] = x
        images: Tensor = self.to_big(x)
        return images.float(), {f"b{size}": feature for size, feature in maps.items()}


class FastGANGenerator(ConvolutionalGenerator):
    """FastGAN generator, unconditional or class-conditional.

    Args:
        config: the sizes; `config_from_state` reads them off published weights.

    Raises:
        UserError: a resolution that FastGAN does not have, or a width too small for it.
    """

    def __init__(self, config: FastGANConfig) -> None:
        super().__init__()
        if config.resolution not in WIDTHS or config.resolution < 64:
            raise UserError(
                f"FastGAN makes images of 64, 128, 256, 512 or 1024 pixels, not {config.resolution}"
            )
        if not config.block_channels(max(config.resolution, 256)):
            raise UserError(
                f"a base width of {config.base_width} leaves FastGAN no channels at "
                f"{max(config.resolution, 256)} pixels"
            )
        self.config = config
        self.synthesis = FastGANSynthesis(config)

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        return GeneratorInfo(
            family="fastgan",
            resolution=config.resolution,
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.z_dim,
            num_ws=1,
            num_classes=config.num_classes,
            block_channels={
                f"b{size}": config.block_channels(size) for size in [4, *config.block_resolutions]
            },
        )

    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features; see `Generator.forward`.

        Raises:
            UserError: truncation, which z's normalization would undo, or an unknown noise mode.
        """
        if truncation != 1.0:
            raise UserError("FastGAN normalizes z, so it has no truncation; leave it at 1")
        check_noise(noise)
        labels = self.labels_of(latents)
        z = latents.z.float()
        with self.precision(z.device):
            images, features = self.synthesis(z, labels, noise, random)
        return Generated(images, features, z[:, None])
