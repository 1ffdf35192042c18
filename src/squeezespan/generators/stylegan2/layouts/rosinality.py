"""Rosinality's port of StyleGAN2, which pSp, e4e and ReStyle hold as their decoder.

Facts of the layout: `style.{i}` are the mapping's layers, counted from 1; `input.input` is the
constant; `conv1` and `to_rgb1` work at 4x4, `convs.{2k}`, `convs.{2k+1}` and `to_rgbs.{k}` at
8 * 2^k; weights of modulated convolutions have a leading axis of one; `noises.noise_{i}` run
through the convolutions; filters before upsampling carry its gain. The discriminator's `convs.0`
is FromRGB at full size, `convs.{k}` are the blocks behind it. Weights are scaled at run time as in
the original. Nothing is clamped, and every layer of the mapping is as wide as z.
"""

import re
from collections.abc import Callable

from torch import Tensor

from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.stylegan2.layouts.renaming import (
    Layout,
    Rule,
    as_it_is,
    check_square_mapping,
    conv_name,
    each,
    gain_of_four,
    rule,
    squeezed,
)
from squeezespan.generators.stylegan2.layouts.rosinality_layers import rosinality_layers

__all__ = ["LAYOUT"]


_STYLE = [
    ("conv.modulation.weight", "affine.weight", as_it_is),
    ("conv.modulation.bias", "affine.bias", as_it_is),
]
_CONV = [
    *_STYLE,
    ("conv.weight", "weight", squeezed(4)),
    ("conv.blur.kernel", "resample_filter", gain_of_four),
    ("noise.weight", "noise_strength", squeezed(0)),
    ("activate.bias", "bias", as_it_is),
]
_RGB = [
    *_STYLE,
    ("conv.weight", "weight", squeezed(4)),
    ("bias", "bias", lambda x: x.flatten()),
]


_GENERATOR = [
    Rule(
        r"style\.(\d{1,4})\.(weight|bias)",
        lambda match: f"mapping.fc{int(match[1]) - 1}.{match[2]}",
    ),
    rule(r"input\.input", "synthesis.b4.const", squeezed(3)),
    Rule(
        r"noises\.noise_(\d{1,4})",
        lambda match: f"{conv_name(int(match[1]))}.noise_const",
        squeezed(2),
    ),
    *rosinality_layers(_CONV, _RGB),
]


def _judging(resolution: int) -> list[Rule]:
    def block(match: re.Match[str]) -> str:
        return f"b{resolution >> min(int(match[1]) - 1, 20)}"

    weights: list[tuple[str, str, Callable[[Tensor], Tensor]]] = [
        (theirs, ours, as_it_is)
        for theirs, ours in (
            ("conv1.0.weight", "conv0.weight"),
            ("conv1.1.bias", "conv0.bias"),
            ("conv2.0.kernel", "conv1.resample_filter"),
            ("conv2.1.weight", "conv1.weight"),
            ("conv2.2.bias", "conv1.bias"),
            ("skip.0.kernel", "skip.resample_filter"),
            ("skip.1.weight", "skip.weight"),
        )
    ]
    return [
        Rule(r"convs\.0\.(?:0\.weight|1\.bias)", lambda match: _from_rgb(match, resolution)),
        *each([(r"convs\.([1-9]\d{0,3})", block)], weights),
        rule(r"final_conv\.0\.weight", "b4.conv.weight"),
        rule(r"final_conv\.1\.bias", "b4.conv.bias"),
        rule(r"final_linear\.0\.(weight|bias)", r"b4.fc.\1"),
        rule(r"final_linear\.1\.(weight|bias)", r"b4.out.\1"),
    ]


def _from_rgb(match: re.Match[str], resolution: int) -> str:
    return f"b{resolution}.fromrgb.{match[0].rpartition('.')[2]}"


def _rules(network: Network) -> list[Rule]:
    if "final_linear.0.weight" not in network.shapes:
        return _GENERATOR
    blocks = sum(bool(re.fullmatch(r"convs\.\d+\.conv1\.0\.weight", x)) for x in network.shapes)
    return _judging(4 << min(blocks, 20))


LAYOUT = Layout(
    "rosinality's",
    lambda network: bool({"input.input", "final_linear.0.weight"} & network.shapes.keys()),
    _rules,
    told={"conv_clamp": None},
    check=check_square_mapping,
)
