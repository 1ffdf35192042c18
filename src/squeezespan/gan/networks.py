"""The networks that a GAN training begins with, of the sizes that its settings say."""

import torch
from torch import nn

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.errors import UserError
from squeezespan.gan.config import GanTrainConfig
from squeezespan.generators.fastgan import FastGANConfig, FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator

__all__ = ["build_discriminator", "build_fastgan", "build_stylegan2", "first_layers"]


def build_stylegan2(config: GanTrainConfig, num_classes: int) -> StyleGAN2Generator:
    """Build a StyleGAN2 whose weights are drawn from the run's seed, in training mode."""
    torch.manual_seed(config.train.seed)
    sizes = config.generator
    return StyleGAN2Generator(
        StyleGAN2Config(
            resolution=config.side,
            z_dim=sizes.z_dim,
            w_dim=sizes.w_dim,
            num_classes=num_classes,
            channel_base=sizes.channel_base,
            channel_max=sizes.channel_max,
            mapping_layers=sizes.mapping_layers,
            conv_clamp=sizes.conv_clamp,
        )
    ).train()


def build_fastgan(config: GanTrainConfig, num_classes: int) -> FastGANGenerator:
    """Build a FastGAN whose weights are drawn from the run's seed, in training mode.

    Raises:
        UserError: its width leaves no channels at the resolution.
    """
    torch.manual_seed(config.train.seed)
    sizes = config.generator
    return FastGANGenerator(
        FastGANConfig(
            resolution=config.side,
            z_dim=sizes.z_dim,
            num_classes=num_classes,
            base_width=sizes.base_width,
            lite=sizes.family == "fastgan-lite",
        )
    ).train()


def build_discriminator(config: GanTrainConfig, num_classes: int) -> StyleGAN2Discriminator:
    """Build StyleGAN2's discriminator, in training mode; the global seed draws its weights."""
    sizes = config.discriminator
    return StyleGAN2Discriminator(
        StyleGAN2DiscriminatorConfig(
            resolution=config.side,
            num_classes=num_classes,
            channel_base=sizes.channel_base,
            channel_max=sizes.channel_max,
            architecture=sizes.architecture,
            mbstd_group_size=sizes.mbstd_group_size,
            conv_clamp=sizes.conv_clamp,
        )
    ).train()


def first_layers(discriminator: StyleGAN2Discriminator, count: int) -> list[nn.Module]:
    """Give layers of the discriminator from the image on, block by block, in the published order.

    Raises:
        UserError: it has fewer.
    """
    order = ("fromrgb", "conv0", "conv1", "skip")
    layers = [
        getattr(block, name)
        for block in discriminator.blocks()
        for name in order
        if hasattr(block, name)
    ]
    if count > len(layers):
        raise UserError(
            f"--init.freeze-d {count} is more than the {len(layers)} layers of the discriminator"
        )
    return layers[:count]
