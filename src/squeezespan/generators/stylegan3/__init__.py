"""StyleGAN3 (Karras et al. 2021)."""

from squeezespan.generators.stylegan3.config import (
    Ladder,
    LayerConfig,
    StyleGAN3Config,
    design_layers,
)
from squeezespan.generators.stylegan3.network import (
    FourierInput,
    StyleGAN3Generator,
    Synthesis,
    SynthesisLayer,
)

__all__ = [
    "FourierInput",
    "Ladder",
    "LayerConfig",
    "StyleGAN3Config",
    "StyleGAN3Generator",
    "Synthesis",
    "SynthesisLayer",
    "design_layers",
]
