"""The arguments and attributes of StyleGAN2's classes in PyTorch, and what is done with each.

Classes of stylegan2-ada-pytorch, with what stylegan3's and projected-gan's copies add.
"""

import math
import re
from typing import Any

from squeezespan.generators.layers import LEAKY_GAIN
from squeezespan.generators.published import (
    Place,
    PublishedClass,
    Setting,
    checked,
    honoured,
    inert,
)

__all__ = ["CLASSES", "fully_connected", "widths_by"]

_PRECISION = inert("where half precision is used; --precision says it here")
_MEMORY = inert("order of the numbers in memory")
_SPEED = inert("which of two equal forms is computed")
_TRAINING = inert("training only")
_FIRST_VALUES = inert("the weights' first values")
_SHAPES = "the weights' shapes"


def _resolution(place: Place) -> int:
    match = re.search(r"\.b(\d{1,6})", place.path)
    return int(match[1]) if match else int(place.config.resolution)


def _in_channels(place: Place) -> int:
    """Of a block; the first has no map to start from."""
    size = _resolution(place)
    return 0 if size == 4 else place.config.block_channels(size // 2)


def fully_connected(
    multiplier: Any,
    pattern: str = r"mapping\.(fc\d+|embed|embed_proj)|synthesis\..*affine",
    curved: str = r"mapping\.(fc\d+|embed_proj)",
) -> PublishedClass:
    """Give the class of linear layers.

    Args:
        multiplier: gives the learning-rate multiplier of mapping layers from a place.
        pattern: matches the layers' dotted names.
        curved: matches the names of those that end in a leaky ReLU.
    """

    def lr(place: Place) -> float:
        is_mapping = re.fullmatch(r"mapping\.fc\d+", place.path)
        return float(multiplier(place)) if is_mapping else 1.0

    def activation(place: Place) -> str:
        return "lrelu" if re.fullmatch(curved, place.path) else "linear"

    def weight_gain(place: Place) -> float:
        return lr(place) / math.sqrt(place.shape("weight")[1])

    sizes = {
        "in_features": honoured(_SHAPES, lambda place: place.shape("weight")[1]),
        "out_features": honoured(_SHAPES, lambda place: place.shape("weight")[0]),
    }
    shared = {
        **sizes,
        "activation": checked(activation, "lrelu in the mapping, linear elsewhere"),
        "bias": checked(True),
    }
    return PublishedClass(
        "FullyConnectedLayer",
        pattern,
        {
            **shared,
            "lr_multiplier": honoured("the mapping's layers; 1 elsewhere", lr),
            "weight_init": _FIRST_VALUES,
            "bias_init": _FIRST_VALUES,
        },
        {
            **sizes,
            "activation": checked(
                activation, "lrelu in the mapping, linear elsewhere", required=True
            ),
            "weight_gain": honoured(
                "the mapping's learning-rate multiplier", weight_gain, required=True
            ),
            "bias_gain": honoured("the mapping's learning-rate multiplier", lr, required=True),
        },
    )


def _sizes(*, required: bool = False) -> dict[str, Setting]:
    return {
        "z_dim": honoured(_SHAPES, lambda place: place.config.z_dim, required=required),
        "c_dim": honoured(_SHAPES, lambda place: place.config.num_classes, required=required),
        "w_dim": honoured(_SHAPES, lambda place: place.config.w_dim, required=required),
    }


def _image(*, required: bool = False) -> dict[str, Setting]:
    return {
        "img_resolution": honoured(
            _SHAPES, lambda place: place.config.resolution, required=required
        ),
        "img_channels": honoured(_SHAPES, lambda place: place.config.channels, required=required),
    }


def _num_ws(place: Place) -> int:
    return 2 * len(place.config.block_resolutions)


_MAPPING: dict[str, Setting] = {
    "num_layers": honoured(_SHAPES, lambda place: place.config.mapping_layers),
    "embed_features": honoured(
        _SHAPES,
        lambda place: (
            place.given("embed_features")
            if not place.config.num_classes
            else _width(place, "embed_features", place.config.mapping_embed_width)
        ),
    ),
    "layer_features": honoured(
        _SHAPES,
        lambda place: (
            place.given("layer_features")
            if place.config.mapping_layers == 1
            else _width(place, "layer_features", place.config.mapping_width)
        ),
    ),
    "activation": checked("lrelu"),
    "lr_multiplier": honoured(
        "the mapping's layers", lambda place: place.config.mapping_lr_multiplier
    ),
    "w_avg_beta": _TRAINING,
}


def _width(place: Place, name: str, width: int | None) -> Any:
    """A width as the file has it: None and w's width are the same."""
    expected = width or place.config.w_dim
    return None if place.given(name) is None and expected == place.config.w_dim else expected


def widths_by(name: str) -> Any:
    """Base and maximum of the widths, which fit where they give the widths that there are."""

    def expected(place: Place) -> Any:
        config = place.config
        base, most = place.given("channel_base", 32768), place.given("channel_max", 512)
        if type(base) is int and type(most) is int:
            widths = {r: min(base // r, most) for r in config.block_resolutions}
            if all(widths[r] == config.block_channels(r) for r in widths):
                return place.given(name)
        return getattr(config, name)

    return expected


def _torgb_gain(place: Place) -> float:
    return 1 / math.sqrt(place.shape("weight")[1])


def _clamp(place: Place) -> Any:
    return place.config.conv_clamp


_LAYER: dict[str, Setting] = {
    "use_noise": honoured("noise inputs of all layers", lambda place: place.config.use_noise),
    "activation": checked("lrelu"),
    "resample_filter": honoured("the stored filters, of 4 taps"),
    "conv_clamp": honoured("clamp of all convolutions", _clamp),
}
_BLOCK: dict[str, Setting] = {
    "architecture": honoured("the network's", lambda place: place.config.architecture),
    **_LAYER,
    "use_fp16": _PRECISION,
    "fp16_channels_last": _MEMORY,
    "fused_modconv_default": _SPEED,
    "kernel_size": checked(3),
    "channels_last": _MEMORY,
}
_SYNTHESIS: dict[str, Setting] = {
    "channel_base": honoured(_SHAPES, widths_by("channel_base")),
    "channel_max": honoured(_SHAPES, widths_by("channel_max")),
    "num_fp16_res": _PRECISION,
    **{name: x for name, x in _BLOCK.items() if name not in ("use_fp16", "channels_last")},
}
_BLOCK_SIZES: dict[str, Setting] = {
    "in_channels": honoured(_SHAPES, _in_channels),
    "w_dim": honoured(_SHAPES, lambda place: place.config.w_dim),
    "resolution": honoured("the block's place", _resolution),
    "img_channels": honoured(_SHAPES, lambda place: place.config.channels),
    "is_last": honoured(
        "the block's place", lambda place: _resolution(place) == place.config.resolution
    ),
}
_CONV_SIZES: dict[str, Setting] = {
    "in_channels": honoured(_SHAPES, lambda place: place.shape("weight")[1]),
    "out_channels": honoured(_SHAPES, lambda place: place.shape("weight")[0]),
    "w_dim": honoured(_SHAPES, lambda place: place.config.w_dim),
}


def _up(place: Place) -> int:
    return 2 if place.path.endswith((".conv0", ".skip")) else 1


CLASSES: tuple[PublishedClass, ...] = (
    PublishedClass(
        "Generator",
        r"",
        {
            **_sizes(),
            **_image(),
            **{f"mapping_kwargs.{name}": x for name, x in _MAPPING.items()},
            **{f"synthesis_kwargs.{name}": x for name, x in _SYNTHESIS.items()},
            **_SYNTHESIS,
        },
        {**_sizes(required=True), **_image(required=True), "num_ws": honoured(_SHAPES, _num_ws)},
    ),
    PublishedClass(
        "MappingNetwork",
        r"mapping",
        {**_sizes(), "num_ws": honoured(_SHAPES, _num_ws), **_MAPPING},
        {
            **_sizes(),
            "num_ws": honoured(_SHAPES, _num_ws),
            "num_layers": honoured(
                _SHAPES, lambda place: place.config.mapping_layers, required=True
            ),
            "w_avg_beta": _TRAINING,
        },
    ),
    fully_connected(lambda place: place.config.mapping_lr_multiplier),
    PublishedClass(
        "SynthesisNetwork",
        r"synthesis",
        {"w_dim": _sizes()["w_dim"], **_image(), **_SYNTHESIS},
        {
            "w_dim": _sizes()["w_dim"],
            **_image(required=True),
            "img_resolution_log2": honoured(
                _SHAPES, lambda place: place.config.resolution.bit_length() - 1
            ),
            "block_resolutions": honoured(_SHAPES, lambda place: place.config.block_resolutions),
            "num_ws": honoured(_SHAPES, _num_ws),
            "num_fp16_res": _PRECISION,
        },
    ),
    PublishedClass(
        "SynthesisBlock",
        r"synthesis\.b\d+",
        {**_BLOCK_SIZES, "out_channels": inert("the layers' own say it"), **_BLOCK},
        {
            **_BLOCK_SIZES,
            "architecture": honoured(
                "the network's", lambda place: place.config.architecture, required=True
            ),
            "use_fp16": _PRECISION,
            "channels_last": _MEMORY,
            "fused_modconv_default": _SPEED,
            "num_conv": honoured(
                "the block's place", lambda place: 1 if _resolution(place) == 4 else 2
            ),
            "num_torgb": honoured(
                "the network's architecture",
                lambda place: int(f"{place.path}.torgb.weight" in place.network.shapes),
            ),
        },
    ),
    PublishedClass(
        "SynthesisLayer",
        r"synthesis\.b\d+\.conv[01]",
        {
            **_CONV_SIZES,
            "resolution": honoured("the layer's place", _resolution),
            "kernel_size": checked(3),
            "up": honoured("the layer's place", _up),
            **_LAYER,
            "channels_last": _MEMORY,
        },
        {
            **_CONV_SIZES,
            "resolution": honoured("the layer's place", _resolution),
            "up": honoured("the layer's place", _up, required=True),
            "use_noise": honoured(
                "noise inputs of all layers, or of single ones",
                lambda place: bool(place.module.attributes["use_noise"]),
                required=True,
            ),
            "activation": checked("lrelu", required=True),
            "conv_clamp": honoured("clamp of all convolutions", _clamp, required=True),
            "padding": checked(1, required=True),
            "act_gain": checked(LEAKY_GAIN, "sqrt(2)", required=True),
        },
    ),
    PublishedClass(
        "ToRGBLayer",
        r"synthesis\.b\d+\.torgb",
        {
            **_CONV_SIZES,
            "kernel_size": checked(1),
            "conv_clamp": honoured("clamp of all convolutions", _clamp),
            "channels_last": _MEMORY,
        },
        {
            **_CONV_SIZES,
            "conv_clamp": honoured("clamp of all convolutions", _clamp, required=True),
            "weight_gain": checked(_torgb_gain, "1 / sqrt(channels)", required=True),
        },
    ),
    PublishedClass(
        "Conv2dLayer",
        r"synthesis\.b\d+\.skip",
        {
            **{name: x for name, x in _CONV_SIZES.items() if name != "w_dim"},
            "kernel_size": checked(1),
            "bias": checked(False),
            "activation": checked("linear"),
            "up": checked(2),
            "down": checked(1),
            "resample_filter": honoured("the stored filters, of 4 taps"),
            "conv_clamp": checked(None),
            "channels_last": _MEMORY,
            "trainable": _TRAINING,
        },
        {
            **{name: x for name, x in _CONV_SIZES.items() if name != "w_dim"},
            "activation": checked("linear", required=True),
            "up": checked(2, required=True),
            "down": checked(1, required=True),
            "conv_clamp": checked(None, required=True),
            "padding": checked(0, required=True),
            "weight_gain": checked(_torgb_gain, "1 / sqrt(channels)", required=True),
            "act_gain": checked(1, required=True),
            "bias": checked(None),
        },
    ),
)
