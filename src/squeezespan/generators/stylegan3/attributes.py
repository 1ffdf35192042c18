"""What pickles of StyleGAN3 hold: constructor arguments and attributes.

The configuration follows from every layer's attributes, because super-resolution networks cannot be
rebuilt from their arguments; the arguments have to agree with them.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from squeezespan.errors import UserError
from squeezespan.generators.stylegan3.config import (
    Ladder,
    LayerConfig,
    StyleGAN3Config,
    design_layers,
)
from squeezespan.untrusted.wording import shown

__all__ = [
    "LADDER_ARGUMENTS",
    "config_from_attributes",
    "layer_from_attributes",
    "layers_from_arguments",
]

LADDER_ARGUMENTS = {x.name for x in dataclasses.fields(Ladder)} - {"resolution", "channels"}


def layers_from_arguments(arguments: Mapping[str, Any], layers: int) -> tuple[LayerConfig, ...]:
    """Give the layers that the published generator's constructor arguments stand for.

    Args:
        arguments: `img_resolution`, `img_channels` and options of the synthesis network; what is
            absent has the published default.
        layers: how many there are, ToRGB included.

    Raises:
        UserError: an argument is missing or odd, or they stand for another number of layers.
    """
    given = {name: x for name, x in arguments.items() if name in LADDER_ARGUMENTS}
    try:
        ladder = Ladder(arguments["img_resolution"], arguments["img_channels"], **given)
    except KeyError as error:
        raise UserError(f"the StyleGAN3's constructor arguments lack {error}") from error
    # Before as many are designed.
    if ladder.num_layers != layers - 1:
        raise UserError(
            f"its constructor's arguments ask for num_layers {shown(ladder.num_layers, 20)} and "
            f"ToRGB, but it has {layers} layers"
        )
    try:
        return design_layers(ladder)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise UserError(f"the StyleGAN3's constructor arguments are odd: {error}") from error


def layer_from_attributes(name: str, attributes: Mapping[str, Any]) -> LayerConfig:
    """Give a layer's configuration from the attributes that a pickle keeps of it.

    Args:
        name: the layer's name in the synthesis network.
        attributes: as the published class names them; numbers may be NumPy's, and sizes are
            sides or (width, height).

    Raises:
        UserError: an attribute is missing, or they contradict each other.
    """
    try:
        layer = LayerConfig(
            name=name,
            in_channels=int(attributes["in_channels"]),
            out_channels=int(attributes["out_channels"]),
            in_size=_side(name, attributes["in_size"]),
            out_size=_side(name, attributes["out_size"]),
            in_sampling_rate=int(attributes["in_sampling_rate"]),
            out_sampling_rate=int(attributes["out_sampling_rate"]),
            in_cutoff=float(attributes["in_cutoff"]),
            out_cutoff=float(attributes["out_cutoff"]),
            in_half_width=float(attributes["in_half_width"]),
            out_half_width=float(attributes["out_half_width"]),
            conv_kernel=int(attributes["conv_kernel"]),
            is_torgb=bool(attributes["is_torgb"]),
            is_critically_sampled=bool(attributes["is_critically_sampled"]),
            down_radial=bool(attributes["down_radial"]),
            conv_clamp=_optional_float(attributes["conv_clamp"]),
            filter_size=_filter_size(attributes),
            lrelu_upsampling=_lrelu_upsampling(attributes),
        )
        stored = (
            int(attributes["up_factor"]),
            int(attributes["down_factor"]),
            int(attributes["up_taps"]),
            int(attributes["down_taps"]),
            [int(x) for x in attributes["padding"]],
        )
    except KeyError as error:
        raise UserError(f"layer {name} of the StyleGAN3 lacks its attribute {error}") from error
    except (TypeError, ValueError, ArithmeticError) as error:
        raise UserError(f"layer {name} of the StyleGAN3 has odd attributes: {error}") from error
    derived = (
        layer.up_factor,
        layer.down_factor,
        layer.up_taps,
        layer.down_taps,
        [*layer.padding, *layer.padding],
    )
    if stored != derived:
        raise UserError(
            f"layer {name} of the StyleGAN3 resamples by {stored} where its sizes ask for {derived}"
        )
    return layer


def _side(name: str, size: Any) -> int:
    sides = {int(x) for x in size} if hasattr(size, "__iter__") else {int(size)}
    if len(sides) != 1:
        raise UserError(f"layer {name} of the StyleGAN3 is not square: {size}")
    return sides.pop()


def _optional_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _filter_size(attributes: Mapping[str, Any]) -> int:
    """Taps per sample; identity filters don't tell, and then any size will do."""
    for end in ("up", "down"):
        if int(attributes[f"{end}_taps"]) > 1:
            return int(attributes[f"{end}_taps"]) // int(attributes[f"{end}_factor"])
    return LayerConfig.filter_size


def _lrelu_upsampling(attributes: Mapping[str, Any]) -> int:
    if attributes["is_torgb"]:
        return LayerConfig.lrelu_upsampling
    in_rate, out_rate = attributes["in_sampling_rate"], attributes["out_sampling_rate"]
    return int(in_rate) * int(attributes["up_factor"]) // max(int(in_rate), int(out_rate))


def config_from_attributes(
    generator: Mapping[str, Any],
    mapping: Mapping[str, Any],
    synthesis: Mapping[str, Any],
    network_input: Mapping[str, Any],
    layers: Mapping[str, Mapping[str, Any]],
) -> StyleGAN3Config:
    """Give the configuration of a pickled generator from the attributes of its modules.

    Args:
        generator: `z_dim`, `c_dim`, `w_dim`, `img_resolution`, `img_channels`.
        mapping: `num_layers`, `w_avg_beta`.
        synthesis: `layer_names` in the order in which they run, and `output_scale`.
        network_input: `size`, `sampling_rate`, `bandwidth` of the Fourier features.
        layers: layer name to its attributes, see `layer_from_attributes`.

    Raises:
        UserError: something is missing or contradictory.
    """
    try:
        names = [str(name) for name in synthesis["layer_names"]]
        return StyleGAN3Config(
            resolution=int(generator["img_resolution"]),
            layers=tuple(layer_from_attributes(name, layers[name]) for name in names),
            channels=int(generator["img_channels"]),
            z_dim=int(generator["z_dim"]),
            w_dim=int(generator["w_dim"]),
            num_classes=int(generator["c_dim"]),
            mapping_layers=int(mapping["num_layers"]),
            w_avg_beta=float(mapping["w_avg_beta"]),
            input_size=_side("input", network_input["size"]),
            input_sampling_rate=int(network_input["sampling_rate"]),
            input_bandwidth=float(network_input["bandwidth"]),
            output_scale=float(synthesis["output_scale"]),
        )
    except KeyError as error:
        raise UserError(f"the pickled StyleGAN3 lacks {error}") from error
