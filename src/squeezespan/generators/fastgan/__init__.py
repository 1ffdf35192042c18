"""Projected GAN's FastGAN (Liu et al. 2021, Sauer et al. 2021)."""

from squeezespan.generators.fastgan.blocks import FastGANConfig
from squeezespan.generators.fastgan.checkpoint import config_from_state
from squeezespan.generators.fastgan.network import FastGANGenerator

__all__ = [
    "FastGANConfig",
    "FastGANGenerator",
    "config_from_state",
]
