"""BigGAN (Brock et al. 2019)."""

from squeezespan.generators.biggan.blocks import BigGANConfig
from squeezespan.generators.biggan.checkpoint import config_from_state
from squeezespan.generators.biggan.network import BigGANGenerator

__all__ = [
    "BigGANConfig",
    "BigGANGenerator",
    "config_from_state",
]
