"""StyleGAN2 networks as the TensorFlow repositories pickle them."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from checkpoint_files.foreign import instance
from torch import Tensor

_LAYERS = {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB", "skip": "Skip"}

_Array = npt.NDArray[np.float32]


def tensorflow_generator(
    state: Mapping[str, Tensor], *, numbers: bool = True, **arguments: Any
) -> Any:
    """Give a generator in TensorFlow's names and layouts.

    Args:
        state: weights by the published PyTorch names.
        numbers: give variables without axes as NumPy's numbers, as TensorFlow's session does;
            otherwise as arrays without axes.
        arguments: of the function that built the network.
    """
    variables: dict[str, list[tuple[str, _Array]]] = {"": [], "mapping": [], "synthesis": []}
    for name, tensor in state.items():
        if not name.endswith("resample_filter"):
            component, variable, array = _variable(name, tensor.numpy())
            variables[component].append((variable, array[()] if numbers else array))
    components = {name: _network(name, variables[name], {}) for name in ("mapping", "synthesis")}
    return _network("G", variables[""], components, arguments)


def tensorflow_discriminator(state: Mapping[str, Tensor] | None = None, **arguments: Any) -> Any:
    """Give a discriminator in TensorFlow's names and layouts, the least of one without weights.

    Args:
        state: weights by the published PyTorch names.
        arguments: of the function that built the network.
    """
    if state is None:
        return _network("D", [("Output/bias", np.zeros(1, np.float32))], {})
    variables = [
        _judging_variable(name, tensor.numpy())
        for name, tensor in state.items()
        if not name.endswith("resample_filter")
    ]
    return _network("D", variables, {}, arguments)


def _judging_variable(name: str, array: _Array) -> tuple[str, _Array]:
    layer, _, kind = name.rpartition(".")
    match = re.fullmatch(r"b(\d+)\.(\w+)|mapping\.(embed|fc(\d+))", layer)
    assert match
    size = f"{match[1]}x{match[1]}"
    if match[3]:
        place = f"Mapping{match[4]}" if match[4] else "LabelEmbed"
    elif layer == "b4.out":
        place = "Output"
    elif layer in ("b4.conv", "b4.fc"):
        place = f"4x4/{'Conv' if layer == 'b4.conv' else 'Dense0'}"
    else:
        names = {"fromrgb": "FromRGB", "conv0": "Conv0", "conv1": "Conv1_down", "skip": "Skip"}
        place = f"{size}/{names[match[2]]}"
    laid_out = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
    return f"{place}/{kind}", np.ascontiguousarray(laid_out)


def _network(
    name: str,
    variables: list[tuple[str, _Array]],
    components: dict[str, Any],
    arguments: dict[str, Any] | None = None,
) -> Any:
    state = {
        "version": 4,
        "name": name,
        "static_kwargs": arguments or {},
        "components": components,
        "build_module_src": "import os\nraise SystemExit('nobody should run this')\n",
        "build_func_name": "D_main" if name == "D" else "G_main",
        "variables": variables,
    }
    return instance("dnnlib.tflib.network", "Network", state)


def _variable(name: str, array: _Array) -> tuple[str, str, _Array]:
    if name == "mapping.w_avg":
        return "", "dlatent_avg", array
    if match := re.fullmatch(r"mapping\.(fc(\d+)|embed)\.(weight|bias)", name):
        layer = f"Dense{match[2]}" if match[2] else "LabelEmbed"
        return "mapping", f"{layer}/{match[3]}", array.T
    if name == "synthesis.b4.const":
        return "synthesis", "4x4/Const/const", array[None]
    match = re.fullmatch(r"synthesis\.b(\d+)\.(\w+)\.(.+)", name)
    assert match
    size, layer, weight = int(match[1]), match[2], match[3]
    if weight == "noise_const":
        index = 0 if size == 4 else 2 * int(math.log2(size)) - (5 if layer == "conv0" else 4)
        return "synthesis", f"noise{index}", array[None, None]
    theirs = "Conv" if (size, layer) == (4, "conv1") else _LAYERS[layer]
    place = f"{size}x{size}/{theirs}"
    if weight == "affine.weight":
        return "synthesis", f"{place}/mod_weight", array.T
    if weight == "affine.bias":
        return "synthesis", f"{place}/mod_bias", array - 1
    if weight == "weight":
        laid_out = array.transpose(2, 3, 1, 0)
        flipped = laid_out[::-1, ::-1] if layer in ("conv0", "skip") else laid_out
        return "synthesis", f"{place}/weight", np.ascontiguousarray(flipped)
    return "synthesis", f"{place}/{weight}", array
