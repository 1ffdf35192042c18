"""Networks of StyleGAN2's TensorFlow pickles, given PyTorch's names and layouts.

A pickle holds three networks: generator, discriminator, averaged generator. Every network has
components, its own variables and the arguments of the function that built it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network, NetworkModule
from squeezespan.untrusted.names import is_name
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.limits import MAX_TENSORS, Budget
from squeezespan.untrusted.pickles.plain import PlainValues
from squeezespan.untrusted.pickles.values import ArrayRecord, Record
from squeezespan.untrusted.torch_files.storage_reader import StorageReader
from squeezespan.untrusted.wording import shown

__all__ = ["TENSORFLOW_CLASS", "is_tensorflow", "tensorflow_networks"]

TENSORFLOW_CLASS = "dnnlib.tflib.network.Network"
_NAMES = ("G", "D", "G_ema")
_OLDEST_VERSION = 4
_VARIABLE_COST = 4

_Shape = tuple[int, ...]


@dataclass(frozen=True)
class _Layout:
    """How a variable becomes a PyTorch weight."""

    shape: Callable[[_Shape], _Shape]
    convert: Callable[[Tensor], Tensor]
    axes: int | None = None
    """Of the variable; None for any number."""


def _conv(flip: bool = False) -> _Layout:
    """[height, width, in, out] to [out, in, height, width]."""

    def convert(x: Tensor) -> Tensor:
        return (x.flip(0, 1) if flip else x).permute(3, 2, 0, 1)

    return _Layout(lambda shape: (shape[3], shape[2], shape[0], shape[1]), convert, axes=4)


_AS_IS = _Layout(lambda shape: shape, lambda x: x)
_DENSE = _Layout(lambda shape: shape[::-1], lambda x: x.t(), axes=2)
# The TensorFlow networks add one to the style at run time, ours keep it in the bias.
_STYLE_BIAS = _Layout(lambda shape: shape, lambda x: x + 1)
_FIRST_MAP = _Layout(lambda shape: shape[1:], lambda x: x[0], axes=4)
_NOISE = _Layout(lambda shape: shape[2:], lambda x: x[0, 0], axes=4)
_CONV, _FLIPPED_CONV = _conv(), _conv(flip=True)

_Rule = tuple[str, Callable[[re.Match[str]], str], _Layout]


def _rule(pattern: str, name: str, layout: _Layout) -> _Rule:
    return pattern, lambda match: match.expand(name), layout


def _noise_name(match: re.Match[str]) -> str:
    """Noise maps are numbered through: one at 4x4, two at every size above."""
    index = int(match[1])
    if index == 0:
        return "synthesis.b4.conv1.noise_const"
    return f"synthesis.b{2 ** ((index + 5) // 2)}.conv{(index + 1) % 2}.noise_const"


_MODULATED: list[_Rule] = [
    _rule(rf"synthesis/{layer}/{variable}", rf"synthesis.{ours}.{weight}", layout)
    for layer, ours in (
        (r"4x4/Conv", "b4.conv1"),
        (r"(\d+)x\1/Conv0_up", r"b\1.conv0"),
        (r"(\d+)x\1/Conv1", r"b\1.conv1"),
        (r"(\d+)x\1/ToRGB", r"b\1.torgb"),
    )
    for variable, weight, layout in (
        ("weight", "weight", _FLIPPED_CONV if layer.endswith("_up") else _CONV),
        ("bias", "bias", _AS_IS),
        ("noise_strength", "noise_strength", _AS_IS),
        ("mod_weight", "affine.weight", _DENSE),
        ("mod_bias", "affine.bias", _STYLE_BIAS),
    )
]
_GENERATOR: list[_Rule] = [
    _rule(r"dlatent_avg", "mapping.w_avg", _AS_IS),
    _rule(r"mapping/Dense(\d+)/weight", r"mapping.fc\1.weight", _DENSE),
    _rule(r"mapping/Dense(\d+)/bias", r"mapping.fc\1.bias", _AS_IS),
    _rule(r"mapping/LabelEmbed/weight", "mapping.embed.weight", _DENSE),
    _rule(r"mapping/LabelEmbed/bias", "mapping.embed.bias", _AS_IS),
    _rule(r"synthesis/4x4/Const/const", "synthesis.b4.const", _FIRST_MAP),
    _rule(r"synthesis/(\d+)x\1/Skip/weight", r"synthesis.b\1.skip.weight", _FLIPPED_CONV),
    (r"synthesis/noise(\d+)", _noise_name, _NOISE),
    *_MODULATED,
]
_DISCRIMINATOR: list[_Rule] = [
    *(
        _rule(
            rf"{layer}/{variable}",
            rf"{ours}.{variable}",
            weight if variable == "weight" else _AS_IS,
        )
        for layer, ours, weight in (
            (r"(\d+)x\1/FromRGB", r"b\1.fromrgb", _CONV),
            (r"4x4/Conv", "b4.conv", _CONV),
            (r"4x4/Dense0", "b4.fc", _DENSE),
            (r"Output", "b4.out", _DENSE),
            (r"(\d+)x\1/Conv0", r"b\1.conv0", _CONV),
            (r"(\d+)x\1/Conv1_down", r"b\1.conv1", _CONV),
            (r"(\d+)x\1/Skip", r"b\1.skip", _CONV),
            (r"LabelEmbed", "mapping.embed", _DENSE),
            (r"Mapping(\d+)", r"mapping.fc\1", _DENSE),
        )
        for variable in ("weight", "bias")
    ),
]
_USUAL = {
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "mapping_lrmul": 0.01,
    "normalize_latents": True,
}
"""Arguments whose other values would give other images."""
_IGNORED = ("lod", "pl_mean", "pl_mean_var", "augment_strength")


def is_tensorflow(content: Any) -> bool:
    """Whether a pickle's content is networks of TensorFlow."""
    networks = content if isinstance(content, tuple | list) else (content,)
    return bool(networks) and all(
        isinstance(x, Record) and x.class_name == TENSORFLOW_CLASS for x in networks
    )


def tensorflow_networks(path: Path, content: Any, storages: StorageReader) -> dict[str, Network]:
    """Describe the networks of a TensorFlow pickle; weights are read when they are asked for.

    Args:
        path: the pickle.
        content: for which `is_tensorflow` holds.
        storages: reads the weights.

    Raises:
        UserError: another number of networks, an old version, or a variable that StyleGAN2
            doesn't have.
    """
    records = content if isinstance(content, tuple | list) else _alone(content)
    if len(records) != len(_NAMES):
        raise UserError(
            f"{path} is a TensorFlow pickle of {len(records)} networks, where StyleGAN2's has three"
        )
    named = zip(_NAMES, records, strict=True)
    plain = PlainValues()
    return {name: _network(path, name, x, plain, storages) for name, x in named if x is not None}


def _alone(record: Record) -> tuple[Record | None, ...]:
    """A network on its own in the place that it has among three."""
    variables = (record.state or {}).get("variables")
    items = variables if isinstance(variables, list) else []
    names = [item[0] for item in items if isinstance(item, tuple | list) and item]
    judges = any(type(name) is str and name.startswith("Output/") for name in names)
    return (None, record, None) if judges else (None, None, record)


def _network(
    path: Path, name: str, record: Record, values: PlainValues, storages: StorageReader
) -> Network:
    state = record.state or {}
    version = state.get("version")
    if not isinstance(version, int) or version < _OLDEST_VERSION:
        raise UserError(
            f"{path}: {name} is of version {shown(version)} of TensorFlow's StyleGAN; only "
            f"StyleGAN2 ({_OLDEST_VERSION} and later) can be converted"
        )
    arguments = state.get("static_kwargs")
    plain = values.items(arguments) if isinstance(arguments, dict) else {}
    _check_arguments(path, name, plain)
    resolution = plain.get("resolution", 1024)
    variables = dict(_variables(path, name, record, values.budget))
    if len(variables) > MAX_TENSORS:
        raise UserError(f"{path}: {name} has more than {MAX_TENSORS:,} variables")
    rules = _DISCRIMINATOR if name == "D" else _GENERATOR
    named: dict[str, tuple[ArrayRecord, _Layout]] = {}
    for variable, array in variables.items():
        if variable in _IGNORED:
            continue
        ours, layout = _translate(path, name, _current_name(variable, resolution), rules)
        if layout.axes not in (None, len(array.shape)):
            raise UserError(f"{path}: {variable} of {name} has an odd shape {array.shape}")
        named[ours] = array, layout

    def read_state() -> dict[str, Tensor]:
        try:
            return {
                ours: layout.convert(_read(storages, array)).contiguous()
                for ours, (array, layout) in named.items()
            }
        except MalformedError as error:
            raise UserError(f"{path}: the weights of {name}: {error}") from error

    shapes = {ours: layout.shape(array.shape) for ours, (array, layout) in named.items()}
    root = NetworkModule(TENSORFLOW_CLASS, plain, {})
    return Network(name, shapes, read_state, {"": root})


def _check_arguments(path: Path, name: str, arguments: dict[str, Any]) -> None:
    kernel = arguments.get("resample_kernel", [1, 3, 3, 1])
    if list(kernel if isinstance(kernel, list | tuple) else []) != [1, 3, 3, 1]:
        raise UserError(f"{path}: {name} resamples with an unusual filter {ascii(kernel)[:40]}")
    for argument, usual in _USUAL.items():
        value = arguments.get(argument, usual)
        if value is not None and value != usual:
            raise UserError(
                f"{path}: {name} was made with {argument} {shown(value, 40)}; only {usual} is "
                "supported"
            )
    if type(arguments.get("resolution", 1024)) is not int:
        raise UserError(f"{path}: {name} has a resolution that is no number")


def _variables(
    path: Path, name: str, record: Record, budget: Budget
) -> Iterator[tuple[str, ArrayRecord]]:
    """Variables of a network and of its components, as `component/variable`."""
    state = record.state or {}
    yield from _own_variables(path, name, state, "", budget)
    components = state.get("components")
    for component, inner in (components if isinstance(components, dict) else {}).items():
        if not is_name(component) or not isinstance(inner, Record):
            raise UserError(f"{path}: {name} has a component that is no network")
        yield from _own_variables(path, name, inner.state or {}, f"{component}/", budget)


def _own_variables(
    path: Path, name: str, state: dict[str, Any], prefix: str, budget: Budget
) -> Iterator[tuple[str, ArrayRecord]]:
    variables = state.get("variables")
    if not isinstance(variables, list):
        raise UserError(f"{path}: {name} has no list of variables")
    budget.charge(1 + _VARIABLE_COST * len(variables))
    for item in variables:
        pair = item if isinstance(item, tuple | list) and len(item) == 2 else (None, None)
        variable, array = pair
        if not is_name(variable):
            raise UserError(f"{path}: {name} has a variable without a name")
        if isinstance(array, ArrayRecord) and array.blob is not None:
            yield f"{prefix}{variable}", array


def _current_name(variable: str, resolution: int) -> str:
    """The first networks number their RGB layers by levels of detail instead of sizes."""
    match = re.fullmatch(r"(synthesis/)?(To|From)RGB_lod(\d{1,2})/(\w+)", variable)
    if match is None:
        return variable
    size = resolution >> int(match[3])
    return f"{match[1] or ''}{size}x{size}/{match[2]}RGB/{match[4]}"


def _translate(path: Path, name: str, variable: str, rules: list[_Rule]) -> tuple[str, _Layout]:
    for pattern, ours, layout in rules:
        match = re.fullmatch(pattern, variable)
        if match is not None:
            return ours(match), layout
    raise UserError(f"{path}: {name} has a variable {shown(variable)}, which is not StyleGAN2's")


def _read(reader: StorageReader, array: ArrayRecord) -> Tensor:
    assert array.blob is not None
    numbers = np.frombuffer(reader.bytes_of(array.blob), np.dtype(array.code))
    ordered = numbers.reshape(array.shape, order="F" if array.is_fortran else "C")
    return torch.from_numpy(np.array(ordered, dtype=np.float32))
