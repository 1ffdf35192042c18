"""Configurations of StyleGAN3 and StyleGAN-XL from a bare state dict: layer names and shapes."""

import re
from collections.abc import Mapping

from torch import Tensor

from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan3.config import LayerConfig, StyleGAN3Config

__all__ = ["config_from_state"]

MARGIN = 10
NUM_CRITICAL = 2
_LAYER_NAME = re.compile(r"synthesis\.(L\d+_(\d+)_\d+)\.weight")


def config_from_state(
    state: Mapping[str, Tensor], conv_clamp: float | None = 256.0
) -> StyleGAN3Config:
    """Give the configuration of a StyleGAN3 or StyleGAN-XL generator from its weights.

    Frequencies stay unknown, as the filters come with the weights. Margins, the input's
    bandwidth, the number of critically sampled layers and the output's scale are taken to be the
    published ones, which no published checkpoint changes.

    Args:
        state: names and tensors.
        conv_clamp: cannot be seen in the weights; 256 in all published training.

    Raises:
        UserError: the weights are not those of a StyleGAN3.
    """
    shapes = StateShapes(state, "a StyleGAN3 generator")
    found = [match for name in shapes.names() if (match := _LAYER_NAME.fullmatch(name))]
    if len(found) < 2 + NUM_CRITICAL:
        raise shapes.refusal("it lacks layers named synthesis.L0_...")
    sizes = [int(match[2]) for match in found]
    # The last two layers, ToRGB among them, have no margins.
    rates = [size - 2 * MARGIN for size in sizes[:-2]] + sizes[-2:]
    if any(rate < 1 or rate & (rate - 1) for rate in rates):
        raise shapes.refusal(f"its layers do not carry margins of {MARGIN} pixels")
    layers = tuple(
        _layer(
            shapes,
            name=match[1],
            sizes=(sizes[max(i - 1, 0)], sizes[i]),
            rates=(rates[max(i - 1, 0)], rates[i]),
            from_last=len(found) - 1 - i,
            conv_clamp=conv_clamp,
        )
        for i, match in enumerate(found)
    )
    return StyleGAN3Config(
        resolution=sizes[-1],
        layers=layers,
        channels=layers[-1].out_channels,
        z_dim=_z_dim(shapes),
        w_dim=shapes.shape("synthesis.input.affine.weight", 2)[1],
        num_classes=_num_classes(shapes),
        mapping_layers=shapes.count("mapping.fc{}.weight"),
        input_size=sizes[0],
        input_sampling_rate=rates[0],
    )


def _layer(
    shapes: StateShapes,
    *,
    name: str,
    sizes: tuple[int, int],
    rates: tuple[int, int],
    from_last: int,
    conv_clamp: float | None,
) -> LayerConfig:
    out_channels, in_channels, kernel, _ = shapes.shape(f"synthesis.{name}.weight", 4)
    up_filter, down_filter = (f"synthesis.{name}.{end}_filter" for end in ("up", "down"))
    layer = LayerConfig(
        name=name,
        in_channels=in_channels,
        out_channels=out_channels,
        in_size=sizes[0],
        out_size=sizes[1],
        in_sampling_rate=rates[0],
        out_sampling_rate=rates[1],
        in_cutoff=None,
        out_cutoff=None,
        in_half_width=None,
        out_half_width=None,
        conv_kernel=kernel,
        is_torgb=from_last == 0,
        is_critically_sampled=from_last <= NUM_CRITICAL,
        down_radial=down_filter in shapes and shapes.rank(down_filter) == 2,
        conv_clamp=conv_clamp,
    )
    if not layer.is_torgb and shapes.shape(up_filter, 1) != (layer.up_taps,):
        raise shapes.refusal(
            f"{up_filter} has {shapes.shape(up_filter, 1)[0]} taps where the layers' sizes "
            f"ask for {layer.up_taps}"
        )
    return layer


def _z_dim(shapes: StateShapes) -> int:
    fc0_inputs = shapes.shape("mapping.fc0.weight", 2)[1]
    if "mapping.embed_proj.weight" in shapes:
        return shapes.shape("mapping.embed_proj.weight", 2)[0]
    if "mapping.embed.bias" in shapes:
        return fc0_inputs - shapes.shape("mapping.embed.weight", 2)[0]
    return fc0_inputs


def _num_classes(shapes: StateShapes) -> int:
    if "mapping.embed_proj.weight" in shapes:
        return shapes.shape("mapping.w_avg", 2)[0]
    if "mapping.embed.bias" in shapes:
        return shapes.shape("mapping.embed.weight", 2)[1]
    return 0
