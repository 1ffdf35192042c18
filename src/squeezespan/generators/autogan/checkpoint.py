"""AutoGAN generators out of checkpoints."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.autogan.genotype import VARIANTS, parse_genotype, plan_cells
from squeezespan.generators.autogan.network import AutoGANConfig, AutoGANGenerator
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.choices import Choices
from squeezespan.generators.family import Family
from squeezespan.generators.state_shapes import StateShapes

__all__ = ["FAMILY", "config_from_state"]


def config_from_state(
    state: Mapping[str, Tensor], *, genotype: Sequence[int] | str | None = None
) -> AutoGANConfig:
    """Infer an AutoGAN's sizes from names and shapes, and its wiring where the names show it.

    Variants a, b and c differ in the layers they have. Upsampling modes leave no trace, so a
    super-network needs its genotype.

    Args:
        state: a published state dict, no prefix before `l1.weight`.
        genotype: a variant's letter or the 14 numbers; needed for a super-network.

    Raises:
        UserError: not an AutoGAN generator, or the genotype is needed or contradicts the weights.
    """
    shapes = StateShapes(state, "an AutoGAN generator")
    area, z_dim = shapes.shape("l1.weight", 2)
    channels, width = shapes.shape("to_rgb.2.weight", 4)[:2]
    search_network = "cell1.pre_conv1.conv.weight" in shapes
    given = None if genotype is None else parse_genotype(genotype)
    chosen = given if search_network else _variant(shapes)
    if chosen is None:
        raise UserError(
            "these weights are an AutoGAN super-network, which does not say which of its layers "
            "are used: give the genotype, the 14 numbers of `--arch` that it was trained with "
            "(`squeezespan gan convert --genotype` writes a file that says it)"
        )
    if given is not None and given != chosen:
        raise shapes.refusal("the genotype given is of another variant")
    return AutoGANConfig(
        z_dim=z_dim,
        width=width,
        bottom_width=shapes.square_side(area // width, "l1.weight"),
        channels=channels,
        genotype=chosen,
        search_network=search_network,
    )


def _variant(shapes: StateShapes) -> tuple[int, ...]:
    """The fixed variant that has the layers found."""
    for genotype in VARIANTS.values():
        plans = plan_cells(genotype)
        if all(
            f"cell{index + 1}.c1.weight" in shapes
            and (f"cell{index + 1}.c_sc.weight" in shapes) == plan.shortcut
            and (f"cell{index + 1}.n1.weight" in shapes) == (plan.norm == "batch")
            and shapes.count(f"cell{index + 1}.skip_in_ops.{{}}.weight") == len(plan.skips)
            for index, plan in enumerate(plans)
        ):
            return genotype
    raise shapes.refusal("its cells are not those of variant a, b or c")


def _choose(config: AutoGANConfig, choices: Choices) -> AutoGANConfig:
    if choices.genotype is None:
        return config
    chosen = parse_genotype(choices.genotype)
    if chosen != config.genotype and not config.search_network:
        raise UserError("the genotype given is of another variant than its weights")
    return dataclasses.replace(config, genotype=chosen)


def _assume(network: Network, config: AutoGANConfig, choices: Choices) -> list[str]:
    if network.modules or config.search_network or choices.genotype is not None:
        return []
    modes = ", ".join(plan.upsampling for plan in plan_cells(config.genotype))
    return [f"upsampling {modes}, as in the published network of these layers"]


def _describe(config: AutoGANConfig) -> str:
    letters = [letter for letter, genotype in VARIANTS.items() if genotype == config.genotype]
    numbers = ",".join(map(str, config.genotype))
    named = letters[0] if letters else f"genotype {numbers}"
    return f"super-network, {named}" if config.search_network else named


def _recognizes(state: Mapping[str, Any]) -> bool:
    return {"l1.weight", "to_rgb.2.weight"} <= state.keys()


FAMILY = Family(
    "autogan",
    _recognizes,
    lambda network, choices: config_from_state(network.outline, genotype=choices.genotype),
    AutoGANConfig,
    AutoGANGenerator,
    _describe,
    assume=_assume,
    choose=_choose,
)
