"""StyleGAN-XL generators out of checkpoints."""

from collections.abc import Mapping

from torch import Tensor

from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.family import Family
from squeezespan.generators.published import verify
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan3.checkpoint import (
    assume_bare,
    check_header,
    choose_clamp,
    describe,
    stylegan3_config,
)
from squeezespan.generators.stylegan3.settings import XL_CLASSES
from squeezespan.generators.stylegan3.state import config_from_state
from squeezespan.generators.stylegan_xl.network import (
    StyleGANXLConfig,
    StyleGANXLGenerator,
    xl_config,
)

__all__ = ["FAMILY", "stylegan_xl_config", "xl_config_from_state"]


def stylegan_xl_config(network: Network) -> StyleGANXLConfig:
    """Give the configuration of a StyleGAN-XL generator, stem or super-resolution.

    Raises:
        UserError: something is missing, contradictory or unlike any published network.
    """
    shapes = StateShapes(network.outline, "a StyleGAN-XL generator")
    rows, dim = shapes.shape("mapping.embed.weight", 2)
    config = xl_config(stylegan3_config(network), rows, dim)
    verify(network, config, XL_CLASSES)
    return config


def xl_config_from_state(
    state: Mapping[str, Tensor], conv_clamp: float | None = 256.0
) -> StyleGANXLConfig:
    """Give the configuration of a bare state dict; see `stylegan3.state.config_from_state`."""
    rows, dim = StateShapes(state, "a StyleGAN-XL generator").shape("mapping.embed.weight", 2)
    return xl_config(config_from_state(state, conv_clamp), rows, dim)


def _recognizes(state: Mapping[str, Tensor]) -> bool:
    has_table = "mapping.embed.weight" in state and "mapping.embed.bias" not in state
    return has_table and "synthesis.input.freqs" in state


FAMILY = Family(
    "stylegan_xl",
    _recognizes,
    lambda network, choices: choose_clamp(stylegan_xl_config(network), choices),
    StyleGANXLConfig,
    StyleGANXLGenerator,
    describe,
    assume=assume_bare,
    check=check_header,
    choose=choose_clamp,
)
