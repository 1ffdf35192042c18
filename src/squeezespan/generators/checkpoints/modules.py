"""Networks out of the records that a module pickle gives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import UNREADABLE, Network, NetworkModule
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.limits import (
    MAX_MODULE_DEPTH,
    MAX_MODULES,
    MAX_TENSORS,
    Budget,
)
from squeezespan.untrusted.pickles.plain import PlainValues
from squeezespan.untrusted.pickles.values import Record, TensorRecord
from squeezespan.untrusted.torch_files.tensors import TensorMaker
from squeezespan.untrusted.wording import is_name, shown

__all__ = ["is_module", "module_networks", "readable"]

_MODULE_COST = 20
"""What describing a module costs besides its attributes, counted in attributes."""
_CONTENT = ("_parameters", "_buffers", "_modules")


def is_module(value: Any) -> bool:
    """Whether a value of a pickle is a network: an object with parameters and submodules."""
    if not isinstance(value, Record) or value.state is None:
        return False
    return all(isinstance(value.state.get(name), dict) for name in _CONTENT)


def module_networks(
    path: Path, records: Mapping[str, Record], maker: TensorMaker
) -> dict[str, Network]:
    """Describe pickled networks; their weights are read when they are asked for.

    Args:
        path: the file, for messages.
        records: what the file calls the networks, and those for which `is_module` holds.
        maker: makes the weights.

    Raises:
        MalformedError: their parts are not those of a network, or nested without end.
    """
    plain = PlainValues()
    return {name: _network(path, name, x, plain, maker) for name, x in records.items()}


def _network(
    path: Path, name: str, record: Record, plain: PlainValues, maker: TensorMaker
) -> Network:
    tensors: dict[str, TensorRecord] = {}
    modules: dict[str, NetworkModule] = {}
    unknown: list[str] = []
    for prefix, module in _walk(record, plain.budget):
        unknown += _unknown_classes(module)
        if not is_module(module):
            continue
        if len(modules) >= MAX_MODULES:
            raise MalformedError(f"{name} has more than {MAX_MODULES:,} modules")
        plain.budget.charge(_MODULE_COST)
        modules[prefix] = _describe(module, plain)
        for own, tensor in _own_tensors(module, plain.budget):
            tensors[f"{prefix}.{own}" if prefix else own] = tensor
        if len(tensors) > MAX_TENSORS:
            raise MalformedError(f"{name} has more than {MAX_TENSORS:,} weights")

    def read_state() -> dict[str, Tensor]:
        place = ""
        try:
            state = {}
            for place, tensor in tensors.items():
                state[place] = maker.tensor(tensor)
            return state
        except MalformedError as error:
            raise UserError(
                f"{path}: {shown(place, 100)} of {name or 'the network'}: {error}"
            ) from error

    shapes = {key: tensor.size for key, tensor in tensors.items()}
    return Network(name, shapes, read_state, modules, unknown[0] if unknown else "")


@dataclass(frozen=True)
class _Visit:
    prefix: str
    record: Record
    depth: int


def _walk(root: Record, budget: Budget) -> Iterator[tuple[str, Record]]:
    """Every module with its dotted name, parents first, in the order in which they were added."""
    pending = [_Visit("", root, 0)]
    while pending:
        visit = pending.pop()
        yield visit.prefix, visit.record
        if not is_module(visit.record):
            continue
        if visit.depth > MAX_MODULE_DEPTH:
            raise MalformedError("its modules are nested without end")
        children = []
        for name, child in _part(visit.record, "_modules", budget).items():
            if child is None:
                continue
            is_unknown = isinstance(child, Record) and not child.is_known
            if not (is_unknown or is_module(child)) or not is_name(name):
                raise MalformedError(
                    f"{visit.prefix or 'the network'} has a submodule that is none"
                )
            prefix = f"{visit.prefix}.{name}" if visit.prefix else name
            children.append(_Visit(prefix, child, visit.depth + 1))
        if len(children) + len(pending) > MAX_MODULES:
            raise MalformedError(f"it has more than {MAX_MODULES:,} modules")
        pending.extend(reversed(children))


def _unknown_classes(record: Record) -> list[str]:
    """Classes that no list knows, of a module and of its constructor's arguments."""
    arguments = (record.state or {}).get("_init_kwargs")
    values = arguments.values() if isinstance(arguments, dict) else ()
    records = [record, *(value for value in values if isinstance(value, Record))]
    return [shown(x.class_name, 80) for x in records if not x.is_known]


def _part(record: Record, name: str, budget: Budget) -> dict[Any, Any]:
    assert record.state is not None
    part: dict[Any, Any] = record.state[name]
    budget.charge(len(part))
    return part


def _own_tensors(record: Record, budget: Budget) -> Iterator[tuple[str, TensorRecord]]:
    """Parameters and buffers as a state dict has them, missing and temporary ones left out."""
    assert record.state is not None
    temporary = record.state.get("_non_persistent_buffers_set")
    left_out = temporary if isinstance(temporary, set | frozenset) else set()
    for part in ("_parameters", "_buffers"):
        for name, tensor in _part(record, part, budget).items():
            if tensor is None or (part == "_buffers" and name in left_out):
                continue
            if not isinstance(tensor, TensorRecord) or not is_name(name):
                raise MalformedError("a module has a parameter that is no tensor")
            yield name, tensor


def _describe(record: Record, plain: PlainValues) -> NetworkModule:
    assert record.state is not None
    plain.budget.charge(len(record.state))
    arguments = record.state.get("_init_kwargs")
    own = {
        name: value
        for name, value in record.state.items()
        if is_name(name) and not name.startswith("_")
    }
    return NetworkModule(
        record.class_name,
        readable(arguments, plain) if isinstance(arguments, dict) else {},
        readable(own, plain),
    )


def readable(values: dict[Any, Any], plain: PlainValues) -> dict[str, Any]:
    """Copy values under a text as name; those that are no plain data are kept as such."""
    names = [name for name in values if isinstance(name, str)]
    return dict.fromkeys(names, UNREADABLE) | plain.items(values)
