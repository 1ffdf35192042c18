"""BigGAN generators out of checkpoints."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from squeezespan.generators.biggan.blocks import BigGANConfig
from squeezespan.generators.biggan.network import BigGANGenerator
from squeezespan.generators.choices import Choices
from squeezespan.generators.family import Family
from squeezespan.generators.state_shapes import StateShapes

__all__ = ["FAMILY", "config_from_state"]


def config_from_state(
    state: Mapping[str, Tensor], *, power_iterations: int = 1, batch_statistics: bool = False
) -> BigGANConfig:
    """Infer a BigGAN's sizes and options from names and shapes.

    Args:
        state: a published state dict, no prefix before `linear.weight`.
        power_iterations: of the spectral norm, which leaves no trace in the weights; ignored for a
            network without spectral norm.
        batch_statistics: see `BigGANConfig`; a choice, not a property of the weights.

    Raises:
        UserError: not a BigGAN generator, or a variant that is not supported.
    """
    shapes = StateShapes(state, "a BigGAN generator")
    num_blocks = shapes.count("blocks.{}.0.conv1.weight")
    if not num_blocks:
        raise shapes.refusal("it lacks blocks.0.0.conv1.weight")
    if "linear.u1" in shapes:
        raise shapes.refusal("it has several singular vectors a layer (num_G_SVs above 1)")
    convs = [shapes.shape(f"blocks.{i}.0.conv1.weight", 4) for i in range(num_blocks)]
    widths = (convs[0][1], *(conv[0] for conv in convs))
    first, z_chunk = shapes.shape("linear.weight", 2)
    gain_rows, gain_columns = shapes.shape("blocks.0.0.bn1.gain.weight", 2)
    if "shared.weight" in shapes:
        num_classes, shared_dim = shapes.shape("shared.weight", 2)
        hierarchical = gain_columns > shared_dim
    else:
        num_classes, shared_dim, hierarchical = gain_rows, 0, False
    return BigGANConfig(
        z_dim=z_chunk * (num_blocks + 1 if hierarchical else 1),
        num_classes=num_classes,
        bottom_width=shapes.square_side(first // widths[0], "linear.weight"),
        widths=widths,
        channels=shapes.shape("output_layer.2.weight", 4)[0],
        shared_dim=shared_dim,
        hierarchical=hierarchical,
        attention_blocks=tuple(
            i for i in range(num_blocks) if f"blocks.{i}.1.theta.weight" in shapes
        ),
        statistics_submodule="output_layer.0.bn.stored_mean" in shapes,
        power_iterations=power_iterations if "linear.u0" in shapes else 0,
        batch_statistics=batch_statistics,
    )


def _choose(config: BigGANConfig, choices: Choices) -> BigGANConfig:
    batch_statistics = config.batch_statistics or choices.batch_statistics
    return dataclasses.replace(config, batch_statistics=batch_statistics)


def _describe(config: BigGANConfig) -> str:
    statistics = "each batch's" if config.batch_statistics else "stored"
    parts = [f"{statistics} statistics", "ReLU"]
    if config.power_iterations:
        parts.append(f"spectral norms of {config.power_iterations} power iteration")
    if config.shared_dim:
        parts.append(f"shared class embedding of {config.shared_dim}")
    if config.hierarchical:
        parts.append("hierarchical z")
    if config.attention_blocks:
        sizes = [config.bottom_width * 2 ** (block + 1) for block in config.attention_blocks]
        parts.append(f"attention at {', '.join(map(str, sizes))}")
    return ", ".join(parts)


def _recognizes(state: Mapping[str, Any]) -> bool:
    return {"blocks.0.0.conv1.weight", "output_layer.2.weight"} <= state.keys()


FAMILY = Family(
    "biggan",
    _recognizes,
    lambda network, choices: config_from_state(
        network.outline, batch_statistics=choices.batch_statistics
    ),
    BigGANConfig,
    BigGANGenerator,
    _describe,
    choose=_choose,
)
