"""The arguments and attributes of StyleGAN2's discriminator classes, and what is done with each.

Classes of stylegan2-ada-pytorch, and of stylegan3's copy.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from squeezespan.generators.layers import LEAKY_GAIN
from squeezespan.generators.published import (
    Place,
    PublishedClass,
    Setting,
    checked,
    each_of,
    honoured,
    inert,
)
from squeezespan.generators.stylegan2.settings import fully_connected, widths_by

__all__ = ["CLASSES"]

_SHAPES = "the weights' shapes"
_PRECISION = inert("where half precision is used; here it is all in float32")
_MEMORY = inert("order of the numbers in memory")
_TRAINING = inert("training only")
_FILTERS = honoured("the stored filters, of 4 taps")
_CLAMPED = "clamp of all convolutions but the skips and what reads the image at 4x4"


def _resolution(place: Place) -> int:
    match = re.match(r"b(\d{1,6})", place.path)
    return int(match[1]) if match else int(place.config.resolution)


def _in_channels(place: Place) -> int:
    """Of a block; the first has no map to start from."""
    size = _resolution(place)
    is_first = size == place.config.resolution
    return 0 if is_first else int(place.config.block_channels(size))


def _cmap_dim(place: Place) -> int:
    config = place.config
    return int(config.block_channels(4)) if config.num_classes else 0


def _usual_width(name: str) -> Setting:
    """A width that follows that of the mapped class; without classes it decides on nothing."""

    def expected(place: Place) -> Any:
        given = place.given(name)
        return given if given is None or not place.config.num_classes else _cmap_dim(place)

    return checked(expected, "None, or as many as channels at 4x4")


def _clamp(place: Place) -> Any:
    return place.config.conv_clamp


def _clamp_of(place: Place) -> Any:
    return None if place.path == "b4.fromrgb" or place.path.endswith(".skip") else _clamp(place)


def _side(place: Place) -> int:
    return place.shape("weight")[2]


def _down(place: Place) -> int:
    return 2 if place.path.endswith((".conv1", ".skip")) else 1


def _activation(place: Place) -> str:
    return "linear" if place.path.endswith(".skip") else "lrelu"


def _act_gain(place: Place) -> float:
    return 1.0 if place.path.endswith(".skip") else LEAKY_GAIN


def _weight_gain(place: Place) -> float:
    return 1 / math.sqrt(math.prod(place.shape("weight")[1:]))


def _multiplier(place: Place) -> float:
    return float(place.config.mapping_lr_multiplier)


def _group_size(place: Place) -> Any:
    return place.config.mbstd_group_size


def _mbstd_channels(place: Place) -> int:
    return int(place.config.mbstd_channels)


def _nested(name: str, table: Mapping[str, Setting]) -> dict[str, Setting]:
    return {f"{name}.{key}": setting for key, setting in table.items()}


_C_DIM = honoured(_SHAPES, lambda place: place.config.num_classes)
_IMAGE = {
    "img_resolution": honoured(_SHAPES, lambda place: place.config.resolution),
    "img_channels": honoured(_SHAPES, lambda place: place.config.channels),
}
_ARCHITECTURE = honoured("the network's", lambda place: place.config.architecture)
_STATISTIC = {
    "group_size": honoured("images that share a standard deviation", _group_size),
    "num_channels": honoured(_SHAPES, _mbstd_channels),
}
_MBSTD = {f"mbstd_{name}": setting for name, setting in _STATISTIC.items()}
_MAPPING: dict[str, Setting] = {
    "num_layers": honoured(
        _SHAPES,
        lambda place: (
            place.config.mapping_layers if place.config.num_classes else place.given("num_layers")
        ),
    ),
    "embed_features": _usual_width("embed_features"),
    "layer_features": _usual_width("layer_features"),
    "activation": checked("lrelu"),
    "lr_multiplier": honoured(
        "the mapping's layers",
        lambda place: (
            _multiplier(place) if place.config.num_classes else place.given("lr_multiplier")
        ),
    ),
}
_MAPPING_SIZES: dict[str, Setting] = {
    "z_dim": checked(0),
    "c_dim": _C_DIM,
    "w_dim": honoured(_SHAPES, _cmap_dim),
    "num_ws": checked(None),
    "num_layers": _MAPPING["num_layers"],
    "w_avg_beta": _TRAINING,
}
_BLOCK: dict[str, Setting] = {
    "activation": checked("lrelu"),
    "resample_filter": _FILTERS,
    "fp16_channels_last": _MEMORY,
    "freeze_layers": _TRAINING,
}
_BLOCK_SIZES: dict[str, Setting] = {
    "in_channels": honoured(_SHAPES, _in_channels),
    "resolution": honoured("the block's place", _resolution),
    "img_channels": _IMAGE["img_channels"],
    "first_layer_idx": _TRAINING,
    "architecture": _ARCHITECTURE,
    "use_fp16": _PRECISION,
}
_EPILOGUE_SIZES: dict[str, Setting] = {
    "in_channels": honoured(_SHAPES, lambda place: place.config.block_channels(4)),
    "cmap_dim": honoured(_SHAPES, _cmap_dim),
    "resolution": checked(4),
    "img_channels": _IMAGE["img_channels"],
    "architecture": _ARCHITECTURE,
}
_LAYER: dict[str, Setting] = {
    "in_channels": honoured(_SHAPES, lambda place: place.shape("weight")[1]),
    "out_channels": honoured(_SHAPES, lambda place: place.shape("weight")[0]),
    "activation": checked(_activation, "linear in skips, lrelu elsewhere"),
    "up": checked(1),
    "down": checked(_down, "2 in conv1 and skips, 1 elsewhere"),
    "conv_clamp": honoured(_CLAMPED, _clamp_of),
}

CLASSES: tuple[PublishedClass, ...] = (
    PublishedClass(
        "Discriminator",
        r"",
        {
            "c_dim": _C_DIM,
            **_IMAGE,
            "architecture": _ARCHITECTURE,
            **{
                name: honoured(_SHAPES, widths_by(name)) for name in ("channel_base", "channel_max")
            },
            "num_fp16_res": _PRECISION,
            "conv_clamp": honoured(_CLAMPED, _clamp),
            "cmap_dim": _usual_width("cmap_dim"),
            **_nested("block_kwargs", _BLOCK),
            **_nested("mapping_kwargs", _MAPPING),
            **_nested("epilogue_kwargs", {**_MBSTD, "activation": checked("lrelu")}),
        },
        {
            "c_dim": _C_DIM,
            **_IMAGE,
            "img_resolution_log2": honoured(
                _SHAPES, lambda place: place.config.resolution.bit_length() - 1
            ),
            "block_resolutions": honoured(
                _SHAPES, lambda place: place.config.block_resolutions[:0:-1]
            ),
        },
    ),
    PublishedClass("MappingNetwork", r"mapping", {**_MAPPING_SIZES, **_MAPPING}, _MAPPING_SIZES),
    fully_connected(_multiplier, r"mapping\.(fc\d+|embed)|b4\.(fc|out)", r"mapping\.fc\d+|b4\.fc"),
    PublishedClass(
        "DiscriminatorBlock",
        r"b(?!4$)\d+",
        {
            **_BLOCK_SIZES,
            **each_of("tmp_channels out_channels", inert("the layers' own say it")),
            "conv_clamp": honoured(_CLAMPED, _clamp),
            **_BLOCK,
        },
        {**_BLOCK_SIZES, "channels_last": _MEMORY, "num_layers": _TRAINING},
    ),
    PublishedClass(
        "DiscriminatorEpilogue",
        r"b4",
        {
            **_EPILOGUE_SIZES,
            **_MBSTD,
            "activation": checked("lrelu"),
            "conv_clamp": honoured(_CLAMPED, _clamp),
        },
        {**_EPILOGUE_SIZES, "mbstd": checked(None, "None, or the layer")},
    ),
    PublishedClass(
        "MinibatchStdLayer",
        r"b4\.mbstd",
        _STATISTIC,
        _STATISTIC,
    ),
    PublishedClass(
        "Conv2dLayer",
        r"b\d+\.(fromrgb|conv|conv0|conv1|skip)",
        {
            **_LAYER,
            "kernel_size": honoured(_SHAPES, _side),
            "bias": checked(lambda place: not place.path.endswith(".skip"), "False in skips"),
            "resample_filter": _FILTERS,
            "channels_last": _MEMORY,
            "trainable": _TRAINING,
        },
        {
            **_LAYER,
            "padding": checked(lambda place: _side(place) // 2, "half of the kernel"),
            "weight_gain": checked(_weight_gain, "1 / sqrt(fan-in)"),
            "act_gain": checked(_act_gain, "1 in skips, sqrt(2) elsewhere"),
            "bias": checked(None, "None, or the weight"),
        },
    ),
)
