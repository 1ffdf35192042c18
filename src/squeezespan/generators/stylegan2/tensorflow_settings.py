"""The arguments of StyleGAN2's TensorFlow functions, and what is done with each.

Those of `G_main`, `G_mapping` and the synthesis functions of stylegan2 and stylegan2-ada. A network
hands what it doesn't know on to its parts, so all stand under each.
"""

import math

from squeezespan.generators.published import (
    Place,
    PublishedClass,
    Setting,
    checked,
    honoured,
    inert,
)

__all__ = ["SHARED_ARGUMENTS", "TENSORFLOW_CLASSES"]

_SHAPES = "the weights' shapes"
_TRUNCATION = inert("--truncation says it here")
_TRAINING = inert("training only")
_GRAPH = inert("how TensorFlow's graph is built")
_WIDTHS = ("fmap_base", "fmap_decay", "fmap_min", "fmap_max")
_SYNTHESES = ("G_synthesis", "G_synthesis_stylegan2", "G_synthesis_stylegan_revised")


def _fits(name: str) -> Setting:
    """One of the numbers that the widths follow, which agree or disagree together."""

    def expected(place: Place) -> object:
        given = place.module.arguments
        base, decay, least, most = (
            given.get(key, usual) for key, usual in zip(_WIDTHS, (16384, 1, 1, 512), strict=True)
        )
        if all(isinstance(x, int | float) and math.isfinite(x) for x in (base, decay, least, most)):
            widths = {
                r: min(max(int(base / 2.0 ** (decay * (r.bit_length() - 2))), least), most)
                for r in place.config.block_resolutions
                if -64 < decay < 64
            }
            if widths and all(w == place.config.block_channels(r) for r, w in widths.items()):
                return given[name]
        return "what gives the weights' widths"

    return honoured(_SHAPES, expected)


def _width(name: str, of_config: str) -> Setting:
    """A width whose absence, in words or by None, means the usual one."""

    def expected(place: Place) -> object:
        given, config = place.module.arguments[name], place.config
        is_free = config.mapping_layers == 1 if name == "mapping_fmaps" else not config.num_classes
        width = getattr(config, of_config) or config.w_dim
        return given if is_free or (given is None and width == config.w_dim) else width

    return honoured(_SHAPES, expected)


def _one_of(*names: str) -> Setting:
    def expected(place: Place) -> object:
        given = place.module.arguments["synthesis_func"]
        return given if given in names else names[0]

    return checked(expected, ", ".join(names))


def _broadcast(place: Place) -> object:
    given = place.module.arguments["dlatent_broadcast"]
    return None if given is None else 2 * len(place.config.block_resolutions)


def _fmap_const(place: Place) -> object:
    given = place.module.arguments["fmap_const"]
    return None if given is None else place.network.shapes["synthesis.b4.const"][0]


_PRECISION = inert("--precision says it here")
SHARED_ARGUMENTS: dict[str, Setting] = {
    "label_size": honoured(_SHAPES, lambda place: place.config.num_classes),
    "num_channels": honoured(_SHAPES, lambda place: place.config.channels),
    "resolution": honoured(_SHAPES, lambda place: place.config.resolution),
    **{name: _fits(name) for name in _WIDTHS},
    "architecture": honoured("the network's", lambda place: place.config.architecture),
    "conv_clamp": honoured("clamp of all convolutions", lambda place: place.config.conv_clamp),
    "nonlinearity": checked("lrelu"),
    "resample_kernel": checked([1, 3, 3, 1]),
    "dtype": _PRECISION,
    "num_fp16_res": _PRECISION,
    "is_template_graph": _GRAPH,
    "structure": inert("how a finished progressive growing is computed"),
}
"""Of generators and discriminators alike."""

_ARGUMENTS: dict[str, Setting] = {
    "latent_size": honoured(_SHAPES, lambda place: place.config.z_dim),
    "dlatent_size": honoured(_SHAPES, lambda place: place.config.w_dim),
    "dlatent_broadcast": honoured(_SHAPES, _broadcast),
    **SHARED_ARGUMENTS,
    "fmap_const": honoured(_SHAPES, _fmap_const),
    "mapping_layers": honoured(_SHAPES, lambda place: place.config.mapping_layers),
    "mapping_fmaps": _width("mapping_fmaps", "mapping_width"),
    "label_fmaps": _width("label_fmaps", "mapping_embed_width"),
    "mapping_lrmul": checked(0.01),
    "mapping_nonlinearity": checked("lrelu"),
    "normalize_latents": checked(True),
    "use_noise": honoured("noise inputs of all layers", lambda place: place.config.use_noise),
    "randomize_noise": inert("--noise says it here"),
    "fused_modconv": inert("which of two equal forms is computed"),
    "truncation_psi": _TRUNCATION,
    "truncation_cutoff": _TRUNCATION,
    "truncation_psi_val": _TRUNCATION,
    "truncation_cutoff_val": _TRUNCATION,
    "dlatent_avg_beta": _TRAINING,
    "style_mixing_prob": _TRAINING,
    "is_training": _TRAINING,
    "is_validation": _TRAINING,
    "return_dlatents": inert("what is given back besides images"),
    "force_clean_graph": _GRAPH,
    "components": inert("the network's parts, which the file holds"),
    "mapping_func": checked("G_mapping"),
    "synthesis_func": _one_of(*_SYNTHESES),
}
_FUNCTION = {"build_func_name": inert("the arguments and variables say what it computes")}

TENSORFLOW_CLASSES: tuple[PublishedClass, ...] = tuple(
    PublishedClass(name, pattern, _ARGUMENTS, _FUNCTION)
    for name, pattern in (
        ("G_main", r""),
        ("G_mapping", r"mapping"),
        ("G_synthesis", r"synthesis"),
    )
)
