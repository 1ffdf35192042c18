"""StyleGAN2 weights in the layout of rosinality's port, given the published names.

Facts of the layout: `style.{i}` are the mapping's layers, counted from 1; `input.input` is the
constant; `conv1` and `to_rgb1` work at 4x4, `convs.{2k}`, `convs.{2k+1}` and `to_rgbs.{k}` at
8 * 2^k; weights of modulated convolutions have a leading axis of one; `noises.noise_{i}` run
through the convolutions. The discriminator's `convs.0` is FromRGB at full size, `convs.{k}` are
the blocks behind it. Weights are scaled at run time as in the original, so no numbers change.
"""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from squeezespan.untrusted.pickles.cursor import MalformedError

__all__ = ["has_rosinality_layout", "published_names"]

_MAX_LEVEL = 20

_Name = Callable[[re.Match[str]], str]


def _conv(index: int) -> str:
    """The convolution that is `index`th after the one at 4x4."""
    return f"synthesis.b{_size(index // 2)}.conv{index % 2}"


def _size(level: int) -> int:
    return 8 << min(level, _MAX_LEVEL)


_LAYERS: list[tuple[str, _Name]] = [
    (r"conv1", lambda _: "synthesis.b4.conv1"),
    (r"convs\.(\d{1,4})", lambda match: _conv(int(match[1]))),
    (r"to_rgb1", lambda _: "synthesis.b4.torgb"),
    (r"to_rgbs\.(\d{1,4})", lambda match: f"synthesis.b{_size(int(match[1]))}.torgb"),
]
_WEIGHTS = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
}
_DISCRIMINATOR_WEIGHTS = {
    "conv1.0.weight": "conv0.weight",
    "conv1.1.bias": "conv0.bias",
    "conv2.1.weight": "conv1.weight",
    "conv2.2.bias": "conv1.bias",
    "skip.1.weight": "skip.weight",
}
_FIXED = {
    "input.input": "synthesis.b4.const",
    "final_conv.0.weight": "b4.conv.weight",
    "final_conv.1.bias": "b4.conv.bias",
    "final_linear.0.weight": "b4.fc.weight",
    "final_linear.0.bias": "b4.fc.bias",
    "final_linear.1.weight": "b4.out.weight",
    "final_linear.1.bias": "b4.out.bias",
}


def has_rosinality_layout(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is a generator or a discriminator of this layout."""
    return "input.input" in state or "final_linear.0.weight" in state


def published_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a state dict of this layout the published names and shapes.

    Args:
        state: for which `has_rosinality_layout` holds.

    Returns:
        the same numbers; fixed filters are left out.

    Raises:
        MalformedError: a tensor that the layout doesn't have.
    """
    blocks = sum(bool(re.fullmatch(r"convs\.\d+\.conv1\.0\.weight", name)) for name in state)
    resolution = 4 << min(blocks, _MAX_LEVEL)
    return {
        _name(name, resolution): _without_unit_axes(name, tensor)
        for name, tensor in state.items()
        if not name.endswith(".kernel")
    }


def _name(name: str, resolution: int) -> str:
    if name in _FIXED:
        return _FIXED[name]
    if match := re.fullmatch(r"style\.(\d{1,4})\.(weight|bias)", name):
        return f"mapping.fc{int(match[1]) - 1}.{match[2]}"
    if match := re.fullmatch(r"noises\.noise_(\d{1,4})", name):
        index = int(match[1])
        layer = _conv(index - 1) if index else "synthesis.b4.conv1"
        return f"{layer}.noise_const"
    if match := re.fullmatch(r"convs\.0\.(0\.weight|1\.bias)", name):
        return f"b{resolution}.fromrgb.{match[1][2:]}"
    match = re.fullmatch(r"convs\.([1-9]\d{0,3})\.(.+)", name)
    if match and match[2] in _DISCRIMINATOR_WEIGHTS:
        block = resolution >> min(int(match[1]) - 1, _MAX_LEVEL)
        return f"b{block}.{_DISCRIMINATOR_WEIGHTS[match[2]]}"
    for pattern, layer_name in _LAYERS:
        for theirs, ours in _WEIGHTS.items():
            if match := re.fullmatch(rf"{pattern}\.{re.escape(theirs)}", name):
                return f"{layer_name(match)}.{ours}"
    raise MalformedError(f"it has a tensor {ascii(name)[:60]} that rosinality's StyleGAN2 lacks")


def _without_unit_axes(name: str, tensor: Tensor) -> Tensor:
    """Drop the axes of one that the published weights don't have."""
    if name.endswith("noise.weight"):
        return tensor.reshape(()) if tensor.numel() == 1 else tensor
    if name.startswith("to_rgb") and name.endswith(".bias") and "modulation" not in name:
        return tensor.flatten()
    if name.startswith("noises."):
        return tensor.squeeze(0).squeeze(0)
    is_modulated = name.endswith(".conv.weight") or name == "input.input"
    return tensor[0] if is_modulated and tensor.shape[:1] == (1,) else tensor
