"""The arguments of StyleGAN2's TensorFlow discriminators, and what is done with each.

Those of `D_main` of stylegan2-ada, and of `D_stylegan2` and `D_stylegan` of stylegan2.
"""

from squeezespan.generators.published import (
    Place,
    PublishedClass,
    Setting,
    checked,
    each_of,
    honoured,
    inert,
)
from squeezespan.generators.stylegan2.tensorflow_settings import SHARED_ARGUMENTS

__all__ = ["GROUP_SIZES", "LR_MULTIPLIER", "TENSORFLOW_CLASSES"]

GROUP_SIZES = {"D_main": None, "D_stylegan2": 4, "D_stylegan": 4}
"""Function to the images that share a standard deviation where no argument says it."""
LR_MULTIPLIER = 0.1
"""Of the layers behind the class's embedding, where no argument says it."""

_SHAPES = "the weights' shapes"
_WITHOUT = inert("of a method of comparison that is refused")


def _of_mapping(note: str, name: str, of_config: str) -> Setting:
    """One that decides on nothing without classes."""

    def expected(place: Place) -> object:
        config = place.config
        return getattr(config, of_config) if config.num_classes else place.given(name)

    return honoured(note, expected)


def _mapping_fmaps(place: Place) -> object:
    given = place.given("mapping_fmaps")
    is_free = given is None or not place.config.num_classes
    return given if is_free else place.config.block_channels(4)


def _group_size(place: Place) -> object:
    # Where the statistic is left out, its group's size is what says so.
    is_off = not place.config.mbstd_channels
    return place.given("mbstd_group_size") if is_off else place.config.mbstd_group_size


def _num_features(place: Place) -> object:
    group, count = place.given("mbstd_group_size"), place.config.mbstd_channels
    is_off = not count and isinstance(group, int) and group < 2
    return place.given("mbstd_num_features") if is_off else count


def _function(place: Place) -> object:
    name = place.module.attributes["build_func_name"]
    return name if name in GROUP_SIZES else "D_main"


TENSORFLOW_CLASSES: tuple[PublishedClass, ...] = (
    PublishedClass(
        "D_main, D_stylegan2, D_stylegan",
        r"",
        {
            **SHARED_ARGUMENTS,
            **each_of("dtype num_fp16_res", inert("here it is all in float32")),
            "mapping_layers": _of_mapping(_SHAPES, "mapping_layers", "mapping_layers"),
            "mapping_fmaps": checked(_mapping_fmaps, "None, or as many as channels at 4x4"),
            "mapping_lrmul": _of_mapping(
                "the mapping's layers", "mapping_lrmul", "mapping_lr_multiplier"
            ),
            "mbstd_group_size": honoured("images that share a standard deviation", _group_size),
            "mbstd_num_features": honoured(_SHAPES, _num_features),
            "augment_strength": _WITHOUT,
            "use_pagan": checked(False),
            "pagan_num": _WITHOUT,
            "pagan_fade": _WITHOUT,
            "score_size": checked(1),
            "score_max": checked(1),
            "use_spectral_norm": checked(False),
            "adaptive_dropout": checked(0),
            "freeze_layers": inert("training only"),
        },
        {"build_func_name": checked(_function, ", ".join(GROUP_SIZES))},
    ),
)
