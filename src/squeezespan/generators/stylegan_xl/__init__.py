"""StyleGAN-XL (Sauer et al. 2022)."""

from squeezespan.generators.stylegan_xl.checkpoint import xl_config_from_state
from squeezespan.generators.stylegan_xl.network import (
    ClassEmbeddingMapping,
    StyleGANXLConfig,
    StyleGANXLGenerator,
    superresolution_config,
    xl_config,
)

__all__ = [
    "ClassEmbeddingMapping",
    "StyleGANXLConfig",
    "StyleGANXLGenerator",
    "superresolution_config",
    "xl_config",
    "xl_config_from_state",
]
