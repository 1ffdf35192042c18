"""StyleGAN2's discriminator: the network, and how it is read out of checkpoints."""

from squeezespan.discriminators.stylegan2.network import (
    Judged,
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)

__all__ = ["Judged", "StyleGAN2Discriminator", "StyleGAN2DiscriminatorConfig"]
