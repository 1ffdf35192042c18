"""StyleGAN2's weights in the names and shapes of rosinality's port."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_WEIGHTS = {
    "weight": "conv.weight",
    "affine.weight": "conv.modulation.weight",
    "affine.bias": "conv.modulation.bias",
    "noise_strength": "noise.weight",
}


def rosinality_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a generator's state dict; the average of w stands beside it in such files."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    filtered = taps.outer(taps) / taps.sum().square() * 4
    levels = range(sum(name.endswith("conv0.weight") for name in state))
    kernels = {f"convs.{2 * level}.conv.blur.kernel": filtered for level in levels}
    kernels |= {f"to_rgbs.{level}.upsample.kernel": filtered for level in levels}
    named = (
        _rename(name, tensor)
        for name, tensor in state.items()
        if name != "mapping.w_avg" and not name.endswith("resample_filter")
    )
    return dict(named) | kernels


def _rename(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if match := re.fullmatch(r"mapping\.fc(\d+)\.(weight|bias)", name):
        return f"style.{int(match[1]) + 1}.{match[2]}", tensor
    if name == "synthesis.b4.const":
        return "input.input", tensor[None]
    match = re.fullmatch(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.+)", name)
    assert match
    level, layer, weight = int(match[1]).bit_length() - 3, match[2], match[3]
    index = 2 * (level - 1) + (layer == "conv1")
    if weight == "noise_const":
        return f"noises.noise_{index + 1 if level else 0}", tensor[None, None]
    if layer == "torgb":
        place = f"to_rgbs.{level - 1}" if level else "to_rgb1"
        if weight == "bias":
            return f"{place}.bias", tensor.reshape(1, -1, 1, 1)
    else:
        place = f"convs.{index}" if level else "conv1"
    if weight == "weight":
        tensor = tensor[None]
    if weight == "noise_strength":
        tensor = tensor.reshape(1)
    return f"{place}.{_WEIGHTS.get(weight, 'activate.bias')}", tensor
