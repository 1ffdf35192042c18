"""StyleGAN2's weights in the names and shapes of MMGeneration and GenForce."""

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor

_LAYER = re.compile(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.+)")


def _filter() -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return taps.outer(taps) / 64 * 4


def _index(size: int, layer: str) -> int:
    """Place among the convolutions, that at 4x4 being the first."""
    return 2 * int(math.log2(size)) - (4 if layer == "conv1" else 5)


def mmgeneration_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a generator's state dict as MMGeneration has it."""
    renamed: dict[str, Tensor] = {}
    for name, x in state.items():
        if match := re.fullmatch(r"mapping\.fc(\d+)\.(weight|bias)", name):
            tail = "linear.weight_orig" if match[2] == "weight" else "bias"
            renamed[f"style_mapping.{int(match[1]) + 1}.{tail}"] = x
        elif name == "synthesis.b4.const":
            renamed["constant_input.input"] = x[None]
        elif match := _LAYER.fullmatch(name):
            renamed |= _of_mmgeneration(int(match[1]), match[2], match[3], x)
    return renamed


def _of_mmgeneration(size: int, layer: str, weight: str, x: Tensor) -> dict[str, Tensor]:
    index, level = _index(size, layer), int(math.log2(size)) - 3
    if weight == "noise_const":
        return {f"injected_noise_{index}": x[None, None]}
    if layer == "torgb":
        place = f"to_rgbs.{level}" if size > 4 else "to_rgb1"
    else:
        place = f"convs.{index - 1}" if size > 4 else "conv1"
    if weight == "resample_filter":
        names = {"conv0": f"{place}.conv.blur.kernel", "conv1": f"to_rgbs.{level}.upsample.kernel"}
        return {} if size == 4 else {names[layer]: _filter()}
    if weight == "weight":
        return {f"{place}.conv.weight_orig": x[None]}
    if weight == "noise_strength":
        return {f"{place}.noise_injector.weight": x.reshape(1)}
    if weight == "bias":
        return (
            {f"{place}.bias": x.reshape(1, -1, 1, 1)}
            if layer == "torgb"
            else {f"{place}.activate.bias": x}
        )
    linear = "linear.weight_orig" if weight == "affine.weight" else "bias"
    return {f"{place}.conv.style_modulation.{linear}": x}


def genforce_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a generator's state dict as GenForce has it."""
    kernel = _filter()[None, None]
    renamed = {"synthesis.upsample.kernel": kernel}
    for name, x in state.items():
        if match := re.fullmatch(r"mapping\.fc(\d+)\.(weight|bias)", name):
            renamed[f"mapping.dense{match[1]}.{match[2]}"] = x
        elif name == "mapping.w_avg":
            renamed["truncation.w_avg"] = x
        elif name == "synthesis.b4.const":
            renamed["synthesis.early_layer.const"] = x[None]
        elif match := _LAYER.fullmatch(name):
            size, layer, weight = int(match[1]), match[2], match[3]
            rgb = f"output{int(math.log2(size)) - 2}"
            place = f"synthesis.{rgb if layer == 'torgb' else f'layer{_index(size, layer)}'}"
            if weight == "resample_filter":
                if layer == "conv0":
                    renamed[f"{place}.filter.kernel"] = kernel
                continue
            renamed |= _of_genforce(place, layer, weight, x)
    return renamed


def _of_genforce(place: str, layer: str, weight: str, x: Tensor) -> dict[str, Tensor]:
    if weight == "weight":
        return {f"{place}.weight": x.flip(2, 3) if layer == "conv0" else x}
    if weight == "affine.bias":
        return {f"{place}.style.bias": x - 1}
    if weight == "noise_const":
        return {f"{place}.noise": x[None, None]}
    return {f"{place}.{'style.weight' if weight == 'affine.weight' else weight}": x}
