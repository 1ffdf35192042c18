"""Configurations of StyleGAN3 from what pickles hold: constructor arguments or attributes.

Published pickles keep the constructor's arguments and every layer's attributes; the attributes
are the safest, because super-resolution networks cannot be rebuilt from their arguments.
"""

from collections.abc import Mapping
from typing import Any

from squeezespan.errors import UserError
from squeezespan.generators.stylegan3.config import (
    Ladder,
    LayerConfig,
    StyleGAN3Config,
    design_layers,
)

__all__ = [
    "LADDER_ARGUMENTS",
    "config_from_arguments",
    "config_from_attributes",
    "layer_from_attributes",
]

# What changes training alone, or only the weights' first values.
_INERT_ARGUMENTS = {"magnitude_ema_beta", "num_fp16_res", "fused_modconv_default"}
_INERT_MAPPING_ARGUMENTS = {"rand_embedding"}
LADDER_ARGUMENTS = {
    "channel_base",
    "channel_max",
    "num_layers",
    "num_critical",
    "first_cutoff",
    "first_stopband",
    "last_stopband_rel",
    "margin_size",
    "conv_kernel",
    "use_radial_filters",
    "conv_clamp",
    "filter_size",
    "lrelu_upsampling",
}


def config_from_arguments(arguments: Mapping[str, Any]) -> StyleGAN3Config:
    """Give the configuration that the published generator's constructor arguments stand for.

    Args:
        arguments: `z_dim`, `c_dim`, `w_dim`, `img_resolution`, `img_channels`, `mapping_kwargs`
            and options of the synthesis network; what is absent has the published default.

    Raises:
        UserError: an argument is missing, or one that is not known changes the network.
    """
    rest = dict(arguments)
    try:
        sizes = {name: rest.pop(name) for name in ("z_dim", "c_dim", "w_dim")}
        resolution, channels = rest.pop("img_resolution"), rest.pop("img_channels")
    except KeyError as error:
        raise UserError(f"the StyleGAN3's constructor arguments lack {error}") from error
    mapping = dict(rest.pop("mapping_kwargs", {}))
    mapping_layers, beta = mapping.pop("num_layers", 2), mapping.pop("w_avg_beta", 0.998)
    lr_multiplier = mapping.pop("lr_multiplier", 0.01)
    output_scale = rest.pop("output_scale", 0.25)
    ladder_arguments = {name: rest.pop(name) for name in list(rest) if name in LADDER_ARGUMENTS}
    unknown = sorted((rest.keys() - _INERT_ARGUMENTS) | (mapping.keys() - _INERT_MAPPING_ARGUMENTS))
    if unknown:
        raise UserError(f"the StyleGAN3 was made with an unknown argument {unknown[0]!r}")
    ladder = Ladder(resolution=resolution, channels=channels, **ladder_arguments)
    try:
        layers = design_layers(ladder)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise UserError(f"the StyleGAN3's constructor arguments are odd: {error}") from error
    return StyleGAN3Config(
        resolution=resolution,
        layers=layers,
        channels=channels,
        z_dim=sizes["z_dim"],
        w_dim=sizes["w_dim"],
        num_classes=sizes["c_dim"],
        mapping_layers=mapping_layers,
        w_avg_beta=beta,
        input_size=layers[0].in_size,
        input_sampling_rate=layers[0].in_sampling_rate,
        input_bandwidth=ladder.first_cutoff,
        output_scale=output_scale,
        mapping_lr_multiplier=lr_multiplier,
    )


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
