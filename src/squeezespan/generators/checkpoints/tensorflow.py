"""Networks of TensorFlow pickles as plain data: variables by their own names, and arguments.

A pickle holds three networks: generator, discriminator, averaged generator. Every network has
components, its own variables and the arguments of the function that built it. What the variables
mean is known to a family's layout.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network, NetworkModule
from squeezespan.generators.checkpoints.modules import readable
from squeezespan.untrusted.pickles.limits import MAX_TENSORS, Budget
from squeezespan.untrusted.pickles.plain import PlainValues
from squeezespan.untrusted.pickles.values import ArrayRecord, Record
from squeezespan.untrusted.wording import is_name, shown

__all__ = ["TENSORFLOW_CLASS", "is_tensorflow", "tensorflow_networks"]

TENSORFLOW_CLASS = "dnnlib.tflib.network.Network"
_NAMES = ("G", "D", "G_ema")
_OLDEST_VERSION = 4
_VARIABLE_COST = 4

_Variable = np.ndarray[Any, Any] | float


def is_tensorflow(content: Any) -> bool:
    """Whether a pickle's content is networks of TensorFlow."""
    networks = content if isinstance(content, tuple | list) else (content,)
    return bool(networks) and all(
        isinstance(x, Record) and x.class_name == TENSORFLOW_CLASS for x in networks
    )


def tensorflow_networks(path: Path, content: Any) -> dict[str, Network]:
    """Describe the networks of a TensorFlow pickle; weights are read when they are asked for.

    Args:
        path: the pickle.
        content: for which `is_tensorflow` holds.

    Returns:
        the networks, variables of their components as `component/variable`; modules are the
        network and its components, with the arguments that they were built with.

    Raises:
        UserError: another number of networks, an old version, or a variable that is neither an
            array nor a number.
    """
    records = content if isinstance(content, tuple | list) else _alone(content)
    if len(records) != len(_NAMES):
        raise UserError(
            f"{path} is a TensorFlow pickle of {len(records)} networks, where StyleGAN2's has three"
        )
    named = zip(_NAMES, records, strict=True)
    plain = PlainValues()
    return {name: _network(path, name, x, plain) for name, x in named if x is not None}


def _alone(record: Record) -> tuple[Record | None, ...]:
    """A network on its own in the place that it has among three."""
    variables = (record.state or {}).get("variables")
    items = variables if isinstance(variables, list) else []
    names = [item[0] for item in items if isinstance(item, tuple | list) and item]
    judges = any(type(name) is str and name.startswith("Output/") for name in names)
    return (None, record, None) if judges else (None, None, record)


def _network(path: Path, name: str, record: Record, values: PlainValues) -> Network:
    version = (record.state or {}).get("version")
    if not isinstance(version, int) or version < _OLDEST_VERSION:
        raise UserError(
            f"{path}: {name} is of version {shown(version)} of TensorFlow's StyleGAN; only "
            f"StyleGAN2 ({_OLDEST_VERSION} and later) can be converted"
        )
    variables: dict[str, _Variable] = {}
    modules: dict[str, NetworkModule] = {}
    for component, state in _parts(path, name, record):
        arguments = state.get("static_kwargs")
        plain = readable(arguments, values) if isinstance(arguments, dict) else {}
        function = state.get("build_func_name")
        named = {"build_func_name": function} if isinstance(function, str) else {}
        modules[component] = NetworkModule(TENSORFLOW_CLASS, plain, named)
        prefix = f"{component}/" if component else ""
        for variable, value in _own_variables(path, name, state, values.budget):
            variables[f"{prefix}{variable}"] = value
        if len(variables) > MAX_TENSORS:
            raise UserError(f"{path}: {name} has more than {MAX_TENSORS:,} variables")

    shapes = {key: np.shape(value) for key, value in variables.items()}
    return Network(name, shapes, lambda: _state(path, variables), modules)


def _state(path: Path, variables: Mapping[str, _Variable]) -> dict[str, Tensor]:
    if sum(np.asarray(value).nbytes for value in variables.values()) > path.stat().st_size:
        raise UserError(f"{path}: the same bytes stand for many variables")
    return {name: torch.from_numpy(np.array(x, np.float32)) for name, x in variables.items()}


def _parts(path: Path, name: str, record: Record) -> Iterator[tuple[str, dict[str, Any]]]:
    """The states of a network, under "", and of its components."""
    state = record.state or {}
    yield "", state
    components = state.get("components")
    for component, inner in (components if isinstance(components, dict) else {}).items():
        if not is_name(component) or not isinstance(inner, Record):
            raise UserError(f"{path}: {name} has a component that is no network")
        yield component, inner.state or {}


def _own_variables(
    path: Path, name: str, state: dict[str, Any], budget: Budget
) -> Iterator[tuple[str, _Variable]]:
    variables = state.get("variables")
    if not isinstance(variables, list):
        raise UserError(f"{path}: {name} has no list of variables")
    budget.charge(1 + _VARIABLE_COST * len(variables))
    for item in variables:
        is_pair = isinstance(item, tuple | list) and len(item) == 2
        if not is_pair or not is_name(item[0]):
            raise UserError(f"{path}: {name} has a variable without a name")
        variable, value = item
        # TensorFlow gives a variable without axes as NumPy's number, not as an array.
        found = value.array if isinstance(value, ArrayRecord) else value
        if not isinstance(found, np.ndarray | int | float) or isinstance(found, bool):
            raise UserError(
                f"{path}: the variable {shown(variable)} of {name} is neither an array nor a number"
            )
        yield variable, found
