"""The arguments and attributes of Projected GAN's FastGAN classes, and what is done with each.

The network is pickled as ordinary objects, so its constructor's arguments are not kept; PyTorch's
own layers in it keep theirs as attributes.
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

__all__ = ["CLASSES"]

_SHAPES = "the weights' shapes"
_TRAINING = inert("training only")


def _sides(place: Place) -> tuple[int, ...]:
    return place.shape("weight_orig")[2:]


def _paddings(place: Place) -> tuple[int, ...]:
    """Convolutions of three pixels keep the size, the others are not padded."""
    return (1, 1) if place.shape("weight_orig")[2] == 3 else (0, 0)


_NORMED = {
    "weight": inert("what spectral norm made of the stored weight at the last pass"),
    "bias": checked(None),
}
_CONV = {
    "in_channels": honoured(_SHAPES),
    "out_channels": honoured(_SHAPES),
    "kernel_size": honoured(_SHAPES, _sides),
    "stride": checked((1, 1)),
    "padding": checked(_paddings, "1 for kernels of 3, 0 for the others"),
    "dilation": checked((1, 1)),
    "output_padding": checked((0, 0)),
    "groups": checked(1),
    "padding_mode": checked("zeros"),
    "_reversed_padding_repeated_twice": inert("follows the padding"),
    **_NORMED,
}


def _layer(class_name: str, /, **attributes: Setting) -> PublishedClass:
    return PublishedClass(class_name, class_name, {}, attributes, by_class=True)


CLASSES: tuple[PublishedClass, ...] = (
    PublishedClass(
        "Generator",
        r"",
        {},
        {
            "z_dim": honoured(_SHAPES, lambda place: place.config.z_dim),
            "c_dim": honoured(
                "the first rows of the class table; a network without one takes no class",
                lambda place: place.config.num_classes or place.module.attributes["c_dim"],
            ),
            "w_dim": inert("there is no w"),
            "img_resolution": honoured(_SHAPES, lambda place: place.config.resolution),
            "img_channels": honoured(_SHAPES, lambda place: place.config.channels),
        },
    ),
    PublishedClass(
        "FastganSynthesis, FastganSynthesisCond",
        r"synthesis",
        {},
        {
            "z_dim": honoured(_SHAPES, lambda place: place.config.z_dim),
            "img_resolution": honoured(_SHAPES, lambda place: place.config.resolution),
        },
    ),
    PublishedClass("DummyMapping", r"mapping"),
    PublishedClass(
        "UpBlockBigCond, UpBlockSmallCond",
        r"UpBlock(Big|Small)Cond",
        {},
        each_of("in_planes out_planes", honoured(_SHAPES)),
        by_class=True,
    ),
    _layer(
        "CCBN",
        **each_of("output_size input_size", honoured(_SHAPES)),
        eps=checked(1e-5),
        momentum=_TRAINING,
    ),
    PublishedClass(
        "InitLayer, SEBlock, GLU, Swish, NoiseInjection, Sequential, Sigmoid",
        r"InitLayer|SEBlock|GLU|Swish|NoiseInjection|Sequential|Sigmoid",
        by_class=True,
    ),
    _layer("Conv2d", **_CONV, transposed=checked(False)),
    _layer("ConvTranspose2d", **_CONV, transposed=checked(True)),
    _layer("Linear", **each_of("in_features out_features", honoured(_SHAPES)), **_NORMED),
    _layer(
        "BatchNorm2d",
        num_features=honoured(_SHAPES),
        eps=checked(1e-5),
        momentum=_TRAINING,
        affine=checked(True),
        track_running_stats=checked(True),
    ),
    _layer(
        "Upsample",
        name=inert("its class's name"),
        size=checked(None),
        scale_factor=checked(2),
        mode=checked("nearest"),
        align_corners=checked(None),
        recompute_scale_factor=inert("of equal effect for a factor of 2"),
    ),
    _layer("AdaptiveAvgPool2d", output_size=checked(4)),
    _layer(
        "Embedding",
        **each_of("num_embeddings embedding_dim", honoured(_SHAPES)),
        padding_idx=checked(None),
        max_norm=checked(None),
        norm_type=inert("without max_norm"),
        **each_of("scale_grad_by_freq sparse", _TRAINING),
    ),
)
