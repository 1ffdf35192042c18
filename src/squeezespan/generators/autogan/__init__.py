"""AutoGAN (Gong et al. 2019)."""

from squeezespan.generators.autogan.checkpoint import config_from_state
from squeezespan.generators.autogan.network import AutoGANConfig, AutoGANGenerator

__all__ = [
    "AutoGANConfig",
    "AutoGANGenerator",
    "config_from_state",
]
