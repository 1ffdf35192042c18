"""FastGAN generators of Projected GAN out of checkpoints."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.choices import Choices
from squeezespan.generators.family import Family, State
from squeezespan.generators.fastgan.blocks import WIDTHS, FastGANConfig
from squeezespan.generators.fastgan.network import FastGANGenerator
from squeezespan.generators.fastgan.settings import CLASSES
from squeezespan.generators.published import verify
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.untrusted.wording import shown

__all__ = ["FAMILY", "config_from_state"]

_TABLE = "synthesis.embed.weight"


def config_from_state(state: Mapping[str, Tensor]) -> FastGANConfig:
    """Infer a FastGAN's sizes and variant from names and shapes.

    Raises:
        UserError: not a FastGAN generator of Projected GAN, or an unusual width.
    """
    shapes = StateShapes(state, "a FastGAN generator")
    z_dim, first = shapes.shape("synthesis.init.init.0.weight_orig", 4)[:2]
    base_width = first // int(2 * WIDTHS[4])
    channels, last = shapes.shape("synthesis.to_big.weight_orig", 4)[:2]
    fitting = [
        size for size, width in WIDTHS.items() if size >= 64 and int(width * base_width) == last
    ]
    if len(fitting) != 1:
        raise shapes.refusal(f"synthesis.to_big's {last} channels fit no resolution")
    conditional = _TABLE in shapes
    two = "synthesis.feat_8.conv2.weight_orig" if conditional else "synthesis.feat_8.5.weight_orig"
    return FastGANConfig(
        resolution=fitting[0],
        channels=channels,
        z_dim=z_dim,
        num_classes=shapes.shape(_TABLE, 2)[0] if conditional else 0,
        base_width=base_width,
        lite=two not in shapes,
    )


def _configure(network: Network, choices: Choices) -> FastGANConfig:
    config = config_from_state(network.outline)
    rows = config.num_classes
    # The table has a thousand rows whatever the data's classes, of which only the first are used.
    classes = network.attributes.get("c_dim") if rows else None
    if choices.classes is not None:
        classes = choices.classes
        if not rows and classes:
            raise UserError(f"{classes} classes are given, but it takes none")
    if rows and classes is not None:
        if type(classes) is not int or not 0 < classes <= rows:
            raise UserError(f"its class table has {rows} rows, not {shown(classes, 40)} classes")
        config = dataclasses.replace(config, num_classes=classes)
    verify(network, config, CLASSES)
    return config


def _assume(network: Network, config: FastGANConfig, choices: Choices) -> list[str]:
    if network.modules or not config.num_classes or choices.classes is not None:
        return []
    return [f"{config.num_classes} classes, one for every row of its class table (--classes)"]


def _complete(state: State, config: FastGANConfig, *_: Any) -> tuple[State, list[str]]:
    """Leave out the rows of the class table that stand for no class."""
    if not config.num_classes:
        return state, []
    return state | {_TABLE: state[_TABLE][: config.num_classes]}, []


def _choose(config: FastGANConfig, choices: Choices) -> FastGANConfig:
    if choices.classes not in (None, config.num_classes):
        raise UserError(f"it has {config.num_classes} classes, not {choices.classes}")
    return config


def _describe(config: FastGANConfig) -> str:
    return "lite, one convolution a block" if config.lite else "two convolutions a block"


def _recognizes(state: Mapping[str, Any]) -> bool:
    return "synthesis.init.init.0.weight_orig" in state


def _publish(network: Network) -> Network:
    """Give the synthesis network's weights alone, which are the whole of it, the full names.

    Raises:
        UserError: they are those of the original FastGAN, whose forward pass differs.
    """
    if network.modules or "init.init.0.weight_orig" not in network.shapes:
        return network
    if "to_128.weight_orig" in network.shapes:
        raise UserError(
            "it is the original FastGAN, which neither normalizes z nor has blocks of one kind "
            "as Projected GAN's does, so that its weights can't stand in for it; "
            "squeezespan.register_generator takes the network itself"
        )
    return dataclasses.replace(
        network,
        shapes={f"synthesis.{name}": shape for name, shape in network.shapes.items()},
        read_state=lambda: {f"synthesis.{name}": x for name, x in network.state.items()},
    )


FAMILY = Family(
    "fastgan",
    _recognizes,
    _configure,
    FastGANConfig,
    FastGANGenerator,
    _describe,
    publish=_publish,
    assume=_assume,
    complete=_complete,
    choose=_choose,
)
