"""FastGAN generators of Projected GAN out of checkpoints."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.family import Family
from squeezespan.generators.fastgan.blocks import WIDTHS, FastGANConfig
from squeezespan.generators.fastgan.network import FastGANGenerator
from squeezespan.generators.fastgan.settings import CLASSES
from squeezespan.generators.published import verify
from squeezespan.generators.state_shapes import StateShapes

__all__ = ["FAMILY", "config_from_state"]


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
    conditional = "synthesis.embed.weight" in shapes
    two = "synthesis.feat_8.conv2.weight_orig" if conditional else "synthesis.feat_8.5.weight_orig"
    return FastGANConfig(
        resolution=fitting[0],
        channels=channels,
        z_dim=z_dim,
        num_classes=shapes.shape("synthesis.embed.weight", 2)[0] if conditional else 0,
        base_width=base_width,
        lite=two not in shapes,
    )


def _configure(network: Network) -> FastGANConfig:
    config = config_from_state(network.outline)
    verify(network, config, CLASSES)
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
    lambda network, _: _configure(network),
    FastGANConfig,
    FastGANGenerator,
    _describe,
    publish=_publish,
)
