"""StyleGAN3 generators out of checkpoints."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.choices import Choices, chosen_clamp, described_clamp
from squeezespan.generators.family import Family
from squeezespan.generators.published import verify
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan3.attributes import (
    LADDER_ARGUMENTS,
    config_from_attributes,
    layers_from_arguments,
)
from squeezespan.generators.stylegan3.config import LayerConfig, StyleGAN3Config
from squeezespan.generators.stylegan3.network import StyleGAN3Generator
from squeezespan.generators.stylegan3.settings import CLASSES
from squeezespan.generators.stylegan3.state import config_from_state

__all__ = [
    "FAMILY",
    "assume_bare",
    "check_header",
    "check_layers",
    "choose_clamp",
    "describe",
    "stylegan3_config",
]

_MAX_SIDE = 1 << 13
_MAX_LAYERS = 100

_Config = TypeVar("_Config", bound=StyleGAN3Config)


def stylegan3_config(network: Network) -> StyleGAN3Config:
    """Give the configuration of a StyleGAN3 generator, from its attributes where it has them.

    Raises:
        UserError: something is missing, contradictory or unlike any published network.
    """
    if not network.modules:
        return config_from_state(network.outline)
    shapes = StateShapes(network.outline, "a StyleGAN3 generator")
    for part in ("mapping", "synthesis", "synthesis.input"):
        if part not in network.modules:
            raise shapes.refusal(f"it lacks {part}")
    names = network.modules["synthesis"].attributes.get("layer_names")
    if isinstance(names, list | tuple) and len(names) > _MAX_LAYERS:
        raise shapes.refusal(f"it has {len(names):,} layers")
    prefix = "synthesis."
    config = config_from_attributes(
        network.attributes,
        network.modules["mapping"].attributes,
        network.modules["synthesis"].attributes,
        network.modules["synthesis.input"].attributes,
        {
            name.removeprefix(prefix): module.attributes
            for name, module in network.modules.items()
            if name.startswith(prefix)
        },
    )
    gain = network.modules["mapping.fc0"].attributes["bias_gain"]
    config = dataclasses.replace(config, mapping_lr_multiplier=gain)
    check_layers(config, shapes)
    check_ladder(network.arguments, config)
    return config


def check_ladder(arguments: Mapping[str, Any], config: StyleGAN3Config) -> None:
    """Refuse constructor arguments that stand for other layers than the file's attributes.

    A super-resolution network's arguments stand for no layers.

    Raises:
        UserError: they contradict each other.
    """
    if "path_stem" in arguments or not LADDER_ARGUMENTS & arguments.keys():
        return
    found = config.layers
    designed = layers_from_arguments(arguments, len(found))
    for ours, theirs in zip(designed, found, strict=True):
        for name in (field.name for field in dataclasses.fields(LayerConfig)):
            asked, has = getattr(ours, name), getattr(theirs, name)
            is_told = name not in ("filter_size", "lrelu_upsampling") or not theirs.is_torgb
            if name == "filter_size":
                is_told = theirs.up_taps > 1 or theirs.down_taps > 1
            is_number = isinstance(asked, float) and isinstance(has, float)
            same = math.isclose(asked, has, rel_tol=1e-6) if is_number else asked == has
            if is_told and not same:
                raise UserError(
                    f"its constructor's arguments ask for a layer {theirs.name[:40]} with {name} "
                    f"{asked}, but the layer has {has}"
                )


def check_layers(config: StyleGAN3Config, shapes: StateShapes) -> None:
    """Refuse a description that the weights contradict, before filters of its sizes are designed.

    Raises:
        UserError: a layer has other sizes than its weights, sizes beyond reason, or does not take
            what the layer before gives.
    """
    if not 0 < len(config.layers) <= _MAX_LAYERS or config.input_size > _MAX_SIDE:
        raise shapes.refusal("it has an odd number of layers or a huge input")
    previous = (config.input_size, config.input_sampling_rate, config.layers[0].in_channels)
    for layer in config.layers:
        taken = (layer.in_size, layer.in_sampling_rate, layer.in_channels)
        if taken != previous:
            raise shapes.refusal(
                f"layer {layer.name[:40]} takes (pixels, rate, channels) {taken}, but the layer "
                f"before gives {previous}"
            )
        previous = (layer.out_size, layer.out_sampling_rate, layer.out_channels)
        sides = (layer.in_size, layer.out_size, layer.in_sampling_rate, layer.out_sampling_rate)
        if not all(0 < side <= _MAX_SIDE for side in sides):
            raise shapes.refusal(f"layer {layer.name[:40]} has sides of {sides} pixels")
        name = f"synthesis.{layer.name}"
        described = (layer.out_channels, layer.in_channels, *[layer.conv_kernel] * 2)
        if shapes.shape(f"{name}.weight", 4) != described:
            raise shapes.refusal(f"{name} is described as {described}")
        for end, taps in (("up", layer.up_taps), ("down", layer.down_taps)):
            stored = f"{name}.{end}_filter"
            if stored in shapes and shapes.shape(stored, shapes.rank(stored))[0] == taps:
                continue
            if stored in shapes or taps != 1:
                raise UserError(f"{name}: its {end} filter does not have {taps} taps")
    if config.resolution & (config.resolution - 1):
        raise shapes.refusal(
            f"its images are of {config.resolution} pixels, which is no power of two: its layers' "
            "rates and sizes then disagree, and only powers of two are supported"
        )
    if previous != (config.resolution, config.resolution, config.channels):
        raise shapes.refusal(
            f"its last layer gives {previous[2]} channels of {previous[0]} pixels, not "
            f"{config.channels} of {config.resolution}"
        )


def choose_clamp(config: _Config, choices: Choices) -> _Config:
    """Give every layer the clamp that the user chose, if any."""
    if choices.conv_clamp is None:
        return config
    clamp = chosen_clamp(choices.conv_clamp)
    layers = tuple(dataclasses.replace(layer, conv_clamp=clamp) for layer in config.layers)
    return dataclasses.replace(config, layers=layers)


def assume_bare(network: Network, config: StyleGAN3Config, choices: Choices) -> list[str]:
    """Say what bare weights of the family don't tell."""
    if network.modules:
        return []
    notes = [
        "margins of 10 pixels, two critically sampled layers, an input of bandwidth 2, an output "
        f"scale of {config.output_scale:g}",
        f"a mapping of learning-rate multiplier {config.mapping_lr_multiplier:g}",
    ]
    if choices.conv_clamp is None:
        clamp = config.layers[-1].conv_clamp
        notes.insert(0, f"convolutions clamped at {clamp:g} (--conv-clamp)")
    return notes


def describe(config: StyleGAN3Config) -> str:
    """Say in a line what distinguishes a network within the family."""
    rotates = config.layers[0].conv_kernel == 1
    return (
        f"config {'R' if rotates else 'T'}, {len(config.layers)} layers with ToRGB, "
        f"{described_clamp(config.layers[-1].conv_clamp)}, "
        f"mapping of learning-rate multiplier {config.mapping_lr_multiplier:g}"
    )


def check_header(config: StyleGAN3Config, state: Mapping[str, Tensor]) -> None:
    """Refuse a header that its weights contradict; see `check_layers`."""
    check_layers(config, StateShapes(state, "a StyleGAN3 generator"))


def _configure(network: Network) -> StyleGAN3Config:
    config = stylegan3_config(network)
    verify(network, config, CLASSES)
    return config


FAMILY = Family(
    "stylegan3",
    lambda state: "synthesis.input.freqs" in state,
    lambda network, choices: choose_clamp(_configure(network), choices),
    StyleGAN3Config,
    StyleGAN3Generator,
    describe,
    assume=assume_bare,
    check=check_header,
    choose=choose_clamp,
)
