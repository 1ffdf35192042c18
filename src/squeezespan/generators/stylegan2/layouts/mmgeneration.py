"""StyleGAN2 of MMGeneration and MMagic: rosinality's network under other names.

Facts of the layout: `style_mapping.{i}` are the mapping's layers, counted from 1; weights with
equalized learning rate are called `weight_orig`, and linear layers keep theirs in `linear` and
their bias beside it; `injected_noise_{i}` run through the convolutions. Maps are clamped in half
precision alone.
"""

from squeezespan.generators.stylegan2.layouts.renaming import (
    Layout,
    Rule,
    as_it_is,
    check_square_mapping,
    conv_name,
    gain_of_four,
    rule,
    squeezed,
)
from squeezespan.generators.stylegan2.layouts.rosinality_layers import rosinality_layers

__all__ = ["LAYOUT"]


_STYLE = [
    ("conv.style_modulation.linear.weight_orig", "affine.weight", as_it_is),
    ("conv.style_modulation.bias", "affine.bias", as_it_is),
    ("conv.weight_orig", "weight", squeezed(4)),
]
_CONV = [
    *_STYLE,
    ("conv.blur.kernel", "resample_filter", gain_of_four),
    ("noise_injector.weight", "noise_strength", squeezed(0)),
    ("activate.bias", "bias", as_it_is),
]
_RGB = [*_STYLE, ("bias", "bias", lambda x: x.flatten())]


_RULES = [
    Rule(
        r"style_mapping\.(\d{1,4})\.(?:linear\.weight_orig|bias)",
        lambda match: (
            f"mapping.fc{int(match[1]) - 1}."
            f"{'weight' if match[0].endswith('weight_orig') else 'bias'}"
        ),
    ),
    rule(r"constant_input\.input", "synthesis.b4.const", squeezed(3)),
    Rule(
        r"injected_noise_(\d{1,4})",
        lambda match: f"{conv_name(int(match[1]))}.noise_const",
        squeezed(2),
    ),
    *rosinality_layers(_CONV, _RGB),
]

LAYOUT = Layout(
    "MMGeneration's",
    lambda network: "constant_input.input" in network.shapes,
    lambda _: _RULES,
    told={"conv_clamp": None},
    check=check_square_mapping,
)
