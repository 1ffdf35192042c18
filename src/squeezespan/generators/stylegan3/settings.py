"""The arguments and attributes of StyleGAN3's and StyleGAN-XL's classes, and what becomes of each.

Every layer's attributes are read and compared with each other by `attributes`; the layers that the
constructor's arguments stand for have to agree with them.
"""

from typing import Any

from squeezespan.generators.published import (
    Place,
    PublishedClass,
    Setting,
    checked,
    each_of,
    honoured,
    inert,
)
from squeezespan.generators.stylegan2.settings import fully_connected

__all__ = ["CLASSES", "XL_CLASSES"]

_PRECISION = inert("where half precision is used; --precision says it here")
_TRAINING = inert("training only")
_BUILT = inert("used while the network was built; the layers' attributes say what came of it")
_STEM = inert("of the stem's, which a super-resolution network continues; attributes say the rest")
_LADDER = honoured("the layers, which their attributes describe")
_RUNG_NAMES = (
    "channel_base channel_max num_layers num_critical first_cutoff first_stopband "
    "last_stopband_rel margin_size"
)
_READ_NAMES = (
    "is_torgb in_channels out_channels in_size out_size in_sampling_rate out_sampling_rate"
)
_FILTER_NAMES = "in_cutoff out_cutoff in_half_width out_half_width"
_KEPT_NAMES = "conv_kernel conv_clamp up_factor down_factor up_taps down_taps down_radial padding"
_XL_NAMES = (
    "path_stem head_layers up_factor channel_base channel_max margin_size last_stopband_rel "
    "num_critical num_fp16_res conv_kernel use_radial_filters num_layers head_layer_names"
)
_XL_LAYER = ("filter_size", "lrelu_upsampling", "use_radial_filters")
_XL_SYNTHESIS = (
    "channel_base channel_max first_cutoff first_stopband last_stopband_rel conv_kernel "
    "use_radial_filters sampling_rates"
)

_SHAPES = "the weights' shapes"

_SIZES: dict[str, Setting] = {
    "z_dim": honoured(_SHAPES, lambda place: place.config.z_dim),
    "c_dim": honoured(_SHAPES, lambda place: place.config.num_classes),
    "w_dim": honoured(_SHAPES, lambda place: place.config.w_dim),
}
_W_DIM = {"w_dim": _SIZES["w_dim"]}
_IMAGE: dict[str, Setting] = {
    "img_resolution": honoured(_SHAPES, lambda place: place.config.resolution),
    "img_channels": honoured(_SHAPES, lambda place: place.config.channels),
}
_NUM_WS = {"num_ws": honoured(_SHAPES, lambda place: place.config.num_ws)}
_MAPPING: dict[str, Setting] = {
    "num_layers": honoured(_SHAPES, lambda place: place.config.mapping_layers),
    "lr_multiplier": honoured(
        "the mapping's layers", lambda place: place.config.mapping_lr_multiplier
    ),
    "w_avg_beta": _TRAINING,
}
_LAYER_OPTIONS: dict[str, Setting] = {
    "conv_kernel": _LADDER,
    "filter_size": _LADDER,
    "lrelu_upsampling": _LADDER,
    "use_radial_filters": _LADDER,
    "conv_clamp": _LADDER,
    "magnitude_ema_beta": _TRAINING,
}
_RUNGS: dict[str, Setting] = each_of(_RUNG_NAMES, _LADDER)
_SYNTHESIS: dict[str, Setting] = {
    **_RUNGS,
    "output_scale": honoured("the image's scale", lambda place: place.config.output_scale),
    "num_fp16_res": _PRECISION,
    **_LAYER_OPTIONS,
}
_READ = honoured("the layer")
_LAYER: dict[str, Setting] = {
    **_W_DIM,
    **each_of(_READ_NAMES, _READ),
    **each_of(_FILTER_NAMES, inert("the stored filters say what came of it")),
    "is_critically_sampled": inert("where a super-resolution network would continue"),
    "use_fp16": _PRECISION,
}


def _inner_rate(place: Place) -> int:
    name = place.path.rpartition(".")[2]
    layers = {layer.name: layer for layer in place.config.layers}
    return int(layers[name].inner_sampling_rate)


def _made_with(name: str) -> Setting:
    """An attribute that only the layer's construction reads, and that the others follow."""

    def expected(place: Place) -> Any:
        layer = {x.name: x for x in place.config.layers}[place.path.rpartition(".")[2]]
        given = place.module.attributes[name]
        tells = {
            "filter_size": layer.up_taps > 1 or layer.down_taps > 1,
            "lrelu_upsampling": not layer.is_torgb,
            "use_radial_filters": not layer.is_critically_sampled,
        }[name]
        value = {
            "filter_size": layer.filter_size,
            "lrelu_upsampling": layer.lrelu_upsampling,
            "use_radial_filters": layer.down_radial,
        }[name]
        return value if tells else given

    return honoured("the layer's filters", expected)


def _classes(mapping: tuple[PublishedClass, ...], more: dict[str, Setting]) -> tuple[Any, ...]:
    return (
        PublishedClass(
            "Generator",
            r"",
            {
                **_SIZES,
                **_IMAGE,
                **{f"mapping_kwargs.{name}": x for name, x in mapping[0].arguments.items()},
                **more,
                **_SYNTHESIS,
            },
            {**_SIZES, **_IMAGE, **_NUM_WS, **more},
        ),
        *mapping,
        fully_connected(lambda place: place.config.mapping_lr_multiplier),
        PublishedClass(
            "SynthesisNetwork",
            r"synthesis",
            {**_W_DIM, **_IMAGE, **_SYNTHESIS, **({"img_resolution": _STEM} if more else {})},
            {
                **_W_DIM,
                **_NUM_WS,
                **_IMAGE,
                "num_layers": _BUILT,
                "num_critical": _BUILT,
                "margin_size": _BUILT,
                "output_scale": honoured(
                    "the image's scale", lambda place: place.config.output_scale, required=True
                ),
                "num_fp16_res": _PRECISION,
                "layer_names": honoured("the layers' order", required=True),
                **(each_of(_XL_SYNTHESIS, _BUILT) if more else {}),
            },
        ),
        PublishedClass(
            "SynthesisInput",
            r"synthesis\.input",
            {
                **_W_DIM,
                "channels": honoured(_SHAPES, _input_channels),
                "size": honoured("the input's map"),
                "sampling_rate": honoured("the input's map"),
                "bandwidth": honoured("the input's map"),
            },
            {
                **_W_DIM,
                "channels": honoured(_SHAPES, _input_channels),
                "size": honoured("the input's map", required=True),
                "sampling_rate": honoured(
                    "the input's map",
                    lambda place: place.config.input_sampling_rate,
                    required=True,
                ),
                "bandwidth": honoured(
                    "the input's map", lambda place: place.config.input_bandwidth, required=True
                ),
            },
        ),
        PublishedClass(
            "SynthesisLayer",
            r"synthesis\.L\d+_\d+_\d+",
            {**_LAYER, **_LAYER_OPTIONS},
            {
                **_LAYER,
                "tmp_sampling_rate": honoured("the layer's filters", _inner_rate),
                **each_of(_KEPT_NAMES, _READ),
                "magnitude_ema_beta": _TRAINING,
                **({name: _made_with(name) for name in _XL_LAYER} if more else {}),
            },
        ),
    )


def _input_channels(place: Place) -> int:
    return place.shape("weight")[0]


_XL_GENERATOR: dict[str, Setting] = each_of(_XL_NAMES, _BUILT)
_ABSENT = honoured("whether there are classes", lambda _: None)

CLASSES: tuple[PublishedClass, ...] = _classes(
    (
        PublishedClass(
            "MappingNetwork",
            r"mapping",
            {**_SIZES, **_NUM_WS, **_MAPPING},
            {
                **_SIZES,
                **_NUM_WS,
                "num_layers": honoured(
                    _SHAPES, lambda place: place.config.mapping_layers, required=True
                ),
                "w_avg_beta": _TRAINING,
                "embed": _ABSENT,
            },
        ),
    ),
    {},
)
XL_CLASSES: tuple[PublishedClass, ...] = _classes(
    (
        PublishedClass(
            "MappingNetwork",
            r"mapping",
            {
                **_SIZES,
                "num_ws": _STEM,
                **_MAPPING,
                "rand_embedding": inert("the class table's first values"),
            },
            {
                **_SIZES,
                **_NUM_WS,
                "num_layers": honoured(
                    _SHAPES, lambda place: place.config.mapping_layers, required=True
                ),
                "w_avg_beta": _TRAINING,
                "embed_proj": _ABSENT,
            },
        ),
        PublishedClass(
            "Embedding",
            r"mapping\.embed",
            {},
            {
                "num_embeddings": honoured(_SHAPES, lambda place: place.shape("weight")[0]),
                "embedding_dim": honoured(_SHAPES, lambda place: place.shape("weight")[1]),
                "padding_idx": checked(None),
                "max_norm": checked(None),
                "norm_type": inert("without max_norm"),
                "scale_grad_by_freq": _TRAINING,
                "sparse": _TRAINING,
            },
        ),
    ),
    _XL_GENERATOR,
)
