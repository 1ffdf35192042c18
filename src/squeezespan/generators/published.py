"""What is done with each constructor argument and attribute of the published classes.

A family whose files keep arguments or attributes has a table of all of them. Each is honoured (the
network is built so), checked (any other value than the one that our modules compute with is
refused) or inert (it changes no image). What is in no table is refused by name, because a fork may
have given it a meaning.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network, NetworkModule
from squeezespan.untrusted.wording import shown

__all__ = [
    "Place",
    "PublishedClass",
    "Setting",
    "checked",
    "each_of",
    "honoured",
    "inert",
    "verify",
]

Treatment = Literal["honoured", "checked", "inert"]


@dataclass(frozen=True)
class Place:
    """Where in which network a value stands."""

    config: Any
    """What has been read of the network so far, with which every value has to agree."""
    network: Network
    path: str
    """Dotted name of the module."""
    module: NetworkModule

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one of the module's weights.

        Raises:
            UserError: it has no such weight.
        """
        full = f"{self.path}.{name}" if self.path else name
        if full not in self.network.shapes:
            raise UserError(f"it lacks {shown(full)}")
        return self.network.shapes[full]

    def given(self, name: str, default: Any = None) -> Any:
        """The constructor's argument, its own or in a dict of arguments for a part."""
        flat = dict(_flat(self.module.arguments))
        return {key.rpartition(".")[2]: value for key, value in flat.items()}.get(name, default)


Expected = Callable[[Place], Any]


@dataclass(frozen=True)
class Setting:
    """What is done with one argument or attribute."""

    treatment: Treatment
    note: str
    """For people: what follows it, the value that is assumed, or why it is inert."""
    expected: Expected | None = None
    """Gives the one value that agrees with the configuration; None where any does."""
    is_required: bool = False
    """Whether a file that lacks it is refused."""


def honoured(note: str, expected: Expected | None = None, *, required: bool = False) -> Setting:
    """Give a setting that the configuration follows; `expected` gives its value back."""
    return Setting("honoured", note, expected, required)


def checked(expected: Any, note: str = "", *, required: bool = False) -> Setting:
    """Give a setting of which one value is supported: a constant, or what a function gives."""
    if callable(expected):
        return Setting("checked", note, expected, required)
    return Setting("checked", note or f"{expected}", lambda _: expected, required)


def inert(reason: str) -> Setting:
    """Give a setting that changes no image."""
    return Setting("inert", reason)


def each_of(names: str, setting: Setting) -> dict[str, Setting]:
    """Give every one of `names`, separated by spaces, the same setting."""
    return dict.fromkeys(names.split(), setting)


@dataclass(frozen=True)
class PublishedClass:
    """The arguments and attributes of one class of a family's published networks."""

    name: str
    pattern: str
    """Matches the dotted names of its modules in the network."""
    arguments: Mapping[str, Setting] = field(default_factory=dict)
    """Of the constructor; those in a dict of arguments for a part are `dict.argument`."""
    attributes: Mapping[str, Setting] = field(default_factory=dict)
    by_class: bool = False
    """Whether the pattern is of the class's name, wherever in the network its modules stand."""

    def knows(self, path: str, class_name: str) -> bool:
        """Whether a module is of this class."""
        name = class_name.rpartition(".")[2] if self.by_class else path
        return re.fullmatch(self.pattern, name) is not None


_OF_EVERY_MODULE = {"training": inert("the mode that it was saved in")}
_NESTED = ("mapping_kwargs", "synthesis_kwargs", "block_kwargs", "epilogue_kwargs")


def verify(network: Network, config: Any, classes: Sequence[PublishedClass]) -> None:
    """Refuse a network that says something else than its configuration.

    Args:
        network: as a file has it; bare weights say nothing.
        config: as it was read.
        classes: of its family.

    Raises:
        UserError: an argument or attribute of an unknown name, or of a value that is not supported.
    """
    for path, module in network.modules.items():
        known = next((x for x in classes if x.knows(path, module.class_name)), None)
        if known is None:
            raise UserError(
                f"it has a module {shown(path)} of the class {shown(module.class_name)}, which "
                "the published networks lack"
            )
        place = Place(config, network, path, module)
        where = f"its {shown(path) or 'network'} ({known.name})"
        _verify(place, f"{where} was made with", dict(_flat(module.arguments)), known.arguments)
        attributes = {**_OF_EVERY_MODULE, **known.attributes}
        _verify(place, f"{where} has", module.attributes, attributes)
        for name, setting in known.attributes.items():
            if setting.is_required and name not in module.attributes:
                raise UserError(f"{where} lacks its attribute {name}")


def _flat(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in arguments.items():
        if name in _NESTED and isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", item) for inner, item in value.items())
        else:
            yield name, value


def _verify(
    place: Place, where: str, values: Mapping[str, Any], table: Mapping[str, Setting]
) -> None:
    for name, value in values.items():
        setting = table.get(name)
        if setting is None:
            raise UserError(f"{where} {shown(name)}, which the published class lacks")
        if setting.expected is None:
            continue
        expected = setting.expected(place)
        if not _equal(value, expected):
            raise UserError(
                f"{where} {name} {shown(_plain(value), 40)}, where its other parts ask for "
                f"{shown(_plain(expected), 40)}"
                if setting.treatment == "honoured"
                else f"{where} {name} {shown(_plain(value), 40)}; only "
                f"{shown(_plain(expected), 40)} is supported"
            )


def _equal(value: Any, expected: Any) -> bool:
    if isinstance(expected, list | tuple):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(expected)
            and all(map(_equal, value, expected))
        )
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return type(value) is type(expected) and bool(value == expected)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-12)


def _plain(value: Any) -> Any:
    return f"{list(value)}" if isinstance(value, list | tuple) and len(value) < 9 else value
