"""Saying in words which variant of its family a generator is."""

from typing import Any

from squeezespan.generators.autogan import AutoGANConfig
from squeezespan.generators.autogan_genotype import VARIANTS
from squeezespan.generators.biggan import BigGANConfig
from squeezespan.generators.dcgan import DCGANConfig
from squeezespan.generators.fastgan import FastGANConfig
from squeezespan.generators.stylegan2 import StyleGAN2Config
from squeezespan.generators.stylegan3_config import StyleGAN3Config

__all__ = ["describe_variant"]


def describe_variant(config: Any) -> str:
    """Give what distinguishes this generator within its family, in a line; empty for nothing.

    Args:
        config: the generator's configuration, None where it has none.
    """
    match config:
        case StyleGAN2Config():
            return f"{config.architecture} architecture, {_clamp(config.conv_clamp)}"
        case StyleGAN3Config():
            rotates = config.layers[0].conv_kernel == 1
            layers = f"config {'R' if rotates else 'T'}, {len(config.layers)} layers with ToRGB"
            return f"{layers}, {_clamp(config.layers[-1].conv_clamp)}"
        case FastGANConfig():
            return "lite, one convolution a block" if config.lite else "two convolutions a block"
        case BigGANConfig():
            return _biggan(config)
        case AutoGANConfig():
            return _autogan(config)
        case DCGANConfig():
            norms = "batch norm" if config.norm_names else "no norm"
            return f"{len(config.conv_names)} transposed convolutions, {norms}"
    return ""


def _clamp(clamp: float | None) -> str:
    return "no clamp" if clamp is None else f"clamp at {clamp:g}"


def _biggan(config: BigGANConfig) -> str:
    statistics = "each batch's" if config.batch_statistics else "stored"
    parts = [f"{statistics} statistics"]
    if config.shared_dim:
        parts.append(f"shared class embedding of {config.shared_dim}")
    if config.hierarchical:
        parts.append("hierarchical z")
    if config.attention_blocks:
        sizes = [config.bottom_width * 2 ** (block + 1) for block in config.attention_blocks]
        parts.append(f"attention at {', '.join(map(str, sizes))}")
    return ", ".join(parts)


def _autogan(config: AutoGANConfig) -> str:
    letters = [letter for letter, genotype in VARIANTS.items() if genotype == config.genotype]
    numbers = ",".join(map(str, config.genotype))
    named = letters[0] if letters else f"genotype {numbers}"
    return f"super-network, {named}" if config.search_network else named
