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


def tensorflow_generator(state: Mapping[str, Tensor], **arguments: Any) -> Any:
    """Give a generator in TensorFlow's names and layouts.

    Args:
        state: weights by the published PyTorch names.
        arguments: of the function that built the network.
    """
    variables: dict[str, list[tuple[str, _Array]]] = {"": [], "mapping": [], "synthesis": []}
    for name, tensor in state.items():
        if not name.endswith("resample_filter"):
            component, variable, array = _variable(name, tensor.numpy())
            variables[component].append((variable, array))
    components = {name: _network(name, variables[name], {}) for name in ("mapping", "synthesis")}
    return _network("G", variables[""], components, arguments)


def tensorflow_discriminator() -> Any:
    """Give the least that stands for a discriminator."""
    return _network("D", [("Output/bias", np.zeros(1, np.float32))], {})


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
        "build_func_name": "G_main",
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
