"""StyleGAN2 of GenForce, whose official networks were converted from TensorFlow's.

Facts of the layout: `mapping.dense{i}` are the mapping's layers, `truncation.w_avg` is the average;
`synthesis.early_layer.const` is the constant; `synthesis.layer{i}` run through the convolutions and
`output{k}` (ToRGB) through the blocks, of which one filter serves all. One is added to the style at
run time, and kernels before an upsampling are stored turned by half a turn. Nothing is clamped; the
tanh that its class has as an option leaves no trace.
"""

import re

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.layers import resample_filter
from squeezespan.generators.stylegan2.layouts.renaming import (
    Layout,
    Rule,
    conv_name,
    each,
    gain_of_four,
    rule,
    size_of,
    squeezed,
)

__all__ = ["LAYOUT"]


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _turned(x: Tensor) -> Tensor:
    return x.flip(2, 3)


def _filter(x: Tensor) -> Tensor:
    return gain_of_four(squeezed(2)(x))


def _usual_filter(x: Tensor) -> Tensor:
    """The filter of all images on the way, which ours keep in every block."""
    taps = _filter(x)
    if not x.is_meta and not torch.equal(taps, resample_filter()):
        raise UserError("GenForce's StyleGAN2 is supported with its usual filter 1, 3, 3, 1 only")
    return taps


_LAYER = [
    ("style.weight", "affine.weight", _as_it_is),
    ("style.bias", "affine.bias", lambda x: x + 1),
    ("bias", "bias", _as_it_is),
    ("noise_strength", "noise_strength", _as_it_is),
    ("noise", "noise_const", squeezed(2)),
    ("filter.kernel", "resample_filter", _filter),
]


def _conv(match: re.Match[str]) -> str:
    return conv_name(int(match[1]))


def _block(match: re.Match[str]) -> str:
    return f"synthesis.b{size_of(int(match[1])) // 2}"


_PLACES = [(r"synthesis\.layer(\d{1,4})", _conv)]
_RULES = [
    rule(r"truncation\.w_avg", "mapping.w_avg"),
    rule(r"mapping\.dense(\d+)\.(weight|bias)", r"mapping.fc\1.\2"),
    rule(r"synthesis\.early_layer\.const", "synthesis.b4.const", squeezed(3)),
    Rule(r"synthesis\.layer(\d{0,3}[13579])\.weight", lambda x: f"{_conv(x)}.weight", _turned),
    *each(_PLACES, [("weight", "weight", _as_it_is), *_LAYER]),
    *each(
        [(r"synthesis\.output(\d{1,4})", lambda match: f"{_block(match)}.torgb")],
        [("weight", "weight", _as_it_is), *_LAYER],
    ),
    rule(r"synthesis\.upsample\.kernel", "synthesis.b8.resample_filter", _usual_filter),
]


LAYOUT = Layout(
    "GenForce's",
    lambda network: (
        {"synthesis.early_layer.const", "mapping.dense0.weight"} <= network.shapes.keys()
    ),
    lambda _: _RULES,
    told={"conv_clamp": None},
    assumed=("no tanh on the image",),
)
