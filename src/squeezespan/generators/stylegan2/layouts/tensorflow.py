"""StyleGAN2's networks of the TensorFlow repositories, given PyTorch's names and layouts.

The convolutions' kernels are [height, width, in, out], and turned by half a turn where they
upsample; linear layers are [in, out]; one is added to the style at run time. The networks that
were grown (configurations B to D) keep layers from and to RGB of every level of detail `lod`; when
they are finished only those of level 0, the finest, are in use.
"""

from collections.abc import Mapping

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.checkpoints.tensorflow import TENSORFLOW_CLASS
from squeezespan.generators.stylegan2.layouts.renaming import (
    Convert,
    Layout,
    Rule,
    conv_name,
    each,
    rule,
)

__all__ = ["LAYOUT", "is_tensorflow"]


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _conv(x: Tensor) -> Tensor:
    return x.permute(3, 2, 0, 1)


def _turned_conv(x: Tensor) -> Tensor:
    return x.flip(0, 1).permute(3, 2, 0, 1)


def _dense(x: Tensor) -> Tensor:
    return x.permute(1, 0)


def _first_map(x: Tensor) -> Tensor:
    return x.permute(0, 1, 2, 3)[0]


def _noise(x: Tensor) -> Tensor:
    return x.permute(0, 1, 2, 3)[0, 0]


_STYLE: list[tuple[str, str, Convert]] = [
    ("bias", "bias", _as_it_is),
    ("noise_strength", "noise_strength", _as_it_is),
    ("mod_weight", "affine.weight", _dense),
    ("mod_bias", "affine.bias", lambda x: x + 1),
]
_MODULATED = [("weight", "weight", _conv), *_STYLE]
_GENERATOR: list[Rule] = [
    rule(r"dlatent_avg", "mapping.w_avg"),
    rule(r"mapping/Dense(\d+)/weight", r"mapping.fc\1.weight", _dense),
    rule(r"mapping/Dense(\d+)/bias", r"mapping.fc\1.bias"),
    rule(r"mapping/LabelEmbed/weight", "mapping.embed.weight", _dense),
    rule(r"mapping/LabelEmbed/bias", "mapping.embed.bias"),
    rule(r"synthesis/4x4/Const/const", "synthesis.b4.const", _first_map),
    rule(r"synthesis/(\d+)x\1/Skip/weight", r"synthesis.b\1.skip.weight", _turned_conv),
    Rule(
        r"synthesis/noise(\d{1,4})",
        lambda match: f"{conv_name(int(match[1]))}.noise_const",
        _noise,
    ),
    *each(
        [(r"synthesis/(\d+)x\1/Conv0_up", lambda match: f"synthesis.b{match[1]}.conv0")],
        [("weight", "weight", _turned_conv), *_STYLE],
        separator="/",
    ),
    *each(
        [
            (r"synthesis/4x4/Conv", lambda _: "synthesis.b4.conv1"),
            (r"synthesis/(\d+)x\1/Conv1", lambda match: f"synthesis.b{match[1]}.conv1"),
            (r"synthesis/(\d+)x\1/ToRGB", lambda match: f"synthesis.b{match[1]}.torgb"),
        ],
        _MODULATED,
        separator="/",
    ),
]
_DISCRIMINATOR: list[Rule] = [
    rule(
        rf"{layer}/{variable}",
        rf"{ours}.{variable}",
        weight if variable == "weight" else _as_it_is,
    )
    for layer, ours, weight in (
        (r"(\d+)x\1/FromRGB", r"b\1.fromrgb", _conv),
        (r"4x4/Conv", "b4.conv", _conv),
        (r"4x4/Dense0", "b4.fc", _dense),
        (r"Output", "b4.out", _dense),
        (r"(\d+)x\1/Conv0", r"b\1.conv0", _conv),
        (r"(\d+)x\1/Conv1_down", r"b\1.conv1", _conv),
        (r"(\d+)x\1/Skip", r"b\1.skip", _conv),
        (r"LabelEmbed", "mapping.embed", _dense),
        (r"Mapping(\d+)", r"mapping.fc\1", _dense),
    )
    for variable in ("weight", "bias")
]


def _judges(network: Network) -> bool:
    return any(name.startswith("Output/") for name in network.shapes)


def _rules(network: Network) -> list[Rule]:
    resolution = network.arguments.get("resolution", 1024)
    if type(resolution) is not int or resolution < 0:
        raise UserError(f"{network.name} has a resolution that is no size")
    if _judges(network):
        kinds = [("weight", "weight", _conv), ("bias", "bias", _as_it_is)]
        places = [(r"FromRGB_lod0", lambda _: f"b{resolution}.fromrgb")]
        return [*_DISCRIMINATOR, *each(places, kinds, separator="/")]
    places = [(r"synthesis/ToRGB_lod0", lambda _: f"synthesis.b{resolution}.torgb")]
    return [*_GENERATOR, *each(places, _MODULATED, separator="/")]


def _check_grown(ignored: Mapping[str, Tensor]) -> None:
    for name, level in ignored.items():
        if name.rpartition("/")[2] == "lod" and bool((level != 0).any()):
            raise UserError(
                f"its {name} is {float(level.max()):g}: it is a network that was still growing, "
                "and only finished ones, of 0, are supported"
            )


def is_tensorflow(network: Network) -> bool:
    """Whether a network was pickled by the TensorFlow repositories."""
    return bool(network.modules) and network.modules[""].class_name == TENSORFLOW_CLASS


LAYOUT = Layout(
    "TensorFlow's",
    is_tensorflow,
    _rules,
    ignored=r"(synthesis/)?lod|pl_mean(_var)?|augment_strength|(synthesis/To|From)RGB_lod[1-9]\d*/.+",
    check_ignored=_check_grown,
)
