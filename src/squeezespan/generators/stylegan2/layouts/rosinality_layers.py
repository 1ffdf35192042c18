"""Where rosinality's port keeps its layers, which others' ports share."""

import re
from collections.abc import Sequence

from squeezespan.generators.stylegan2.layouts.renaming import (
    Convert,
    Rule,
    conv_name,
    each,
    gain_of_four,
    size_of,
)

__all__ = ["rosinality_layers"]


def rosinality_layers(
    convolution: Sequence[tuple[str, str, Convert]], rgb: Sequence[tuple[str, str, Convert]]
) -> list[Rule]:
    """Give the rules of all convolutions and RGB layers.

    `conv1` and `to_rgb1` work at 4x4, `convs.{2k}`, `convs.{2k+1}` and `to_rgbs.{k}` at 8 * 2^k;
    filters before upsampling carry its gain.

    Args:
        convolution: the weights of a convolution, as `each` takes them.
        rgb: those of an RGB layer.
    """
    return [
        *each(
            [
                (r"conv1", lambda _: "synthesis.b4.conv1"),
                (r"convs\.(\d{1,4})", lambda match: conv_name(int(match[1]) + 1)),
            ],
            convolution,
        ),
        *each(
            [
                (r"to_rgb1", lambda _: "synthesis.b4.torgb"),
                (r"to_rgbs\.(\d{1,4})", lambda match: f"{_block(match)}.torgb"),
            ],
            rgb,
        ),
        Rule(
            r"to_rgbs\.(\d{1,4})\.upsample\.kernel",
            lambda match: f"{_block(match)}.resample_filter",
            gain_of_four,
        ),
    ]


def _block(match: re.Match[str]) -> str:
    return f"synthesis.b{size_of(int(match[1]))}"
