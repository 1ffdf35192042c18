"""DCGAN (Radford et al. 2016)."""

from squeezespan.generators.dcgan.checkpoint import config_from_state
from squeezespan.generators.dcgan.network import DCGANConfig, DCGANGenerator

__all__ = [
    "DCGANConfig",
    "DCGANGenerator",
    "config_from_state",
]
