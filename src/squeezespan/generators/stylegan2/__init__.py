"""StyleGAN2 and StyleGAN2-ADA (Karras et al. 2020)."""

from squeezespan.generators.stylegan2.network import (
    Architecture,
    StyleGAN2Config,
    StyleGAN2Generator,
    Synthesis,
    SynthesisBlock,
)

__all__ = [
    "Architecture",
    "StyleGAN2Config",
    "StyleGAN2Generator",
    "Synthesis",
    "SynthesisBlock",
]
