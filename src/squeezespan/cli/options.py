"""The options of a command, read off its dataclass.

A field is `--name VALUE`, one of a nested dataclass `--section.name VALUE`. Its annotation may say
otherwise, with `Positional`, `Switch`, `Flat` or `Aliases`, and its docstring is its help.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

__all__ = [
    "Aliases",
    "Flat",
    "Option",
    "Positional",
    "Switch",
    "fill",
    "list_options",
    "part_of",
]

_Value = TypeVar("_Value")
_Options = TypeVar("_Options")


class _Place(Enum):
    POSITIONAL = "a word without a flag"
    SWITCH = "a flag without --no-"
    FLAT = "a section without a prefix"


Positional = Annotated[_Value, _Place.POSITIONAL]
"""`gan: Positional[str]` is a word of its own, not `--gan`."""
Switch = Annotated[bool, _Place.SWITCH]
"""`resume: Switch = False` has no `--no-resume`."""
Flat = Annotated[_Value, _Place.FLAT]
"""`train: Flat[TrainConfig]` has `--epochs` in the place of `--train.epochs`."""


@dataclass(frozen=True)
class Aliases:
    """Other flags of a field, as in `Annotated[int, Aliases("--class")]`."""

    flags: tuple[str, ...]

    def __init__(self, *flags: str) -> None:
        object.__setattr__(self, "flags", flags)


@dataclass(frozen=True)
class Option:
    """A value that a command takes."""

    setting: str
    """The field with its sections, such as `optim.base_lr`."""
    names: tuple[str, ...]
    """Its flags; of a positional one its name in capitals."""
    hint: Any
    """The field's annotation."""
    default: Any
    """`dataclasses.MISSING` where a value is required."""
    owner: type
    """The dataclass whose field it is, which documents it."""
    is_positional: bool
    has_opposite: bool
    """Whether a switch has a `--no-` form, too."""

    @property
    def is_switch(self) -> bool:
        """Whether its flag takes no value."""
        return _bare(self.hint) is bool

    @property
    def opposite(self) -> str | None:
        """The flag that turns a switch off, where there is one."""
        if not (self.is_switch and self.has_opposite):
            return None
        section, dot, name = self.names[0].removeprefix("--").rpartition(".")
        return f"--{section}{dot}no-{name}"

    @property
    def flags(self) -> tuple[str, ...]:
        """All spellings, the opposite's included."""
        return (*self.names, self.opposite) if self.opposite else self.names

    @property
    def is_required(self) -> bool:
        """Whether it can't be left out."""
        return self.default is dataclasses.MISSING


def list_options(options_type: type, default: object = None) -> list[Option]:
    """Give the options of a command, required ones first.

    Args:
        options_type: the command's dataclass.
        default: has the values of what is left out, by the names of fields; those that it lacks
            have the dataclass's.
    """
    found = list(_walk(options_type, default, "", ""))
    return sorted(found, key=lambda option: not option.is_required)


def fill(
    options_type: type[_Options], default: object, given: Mapping[str, object], section: str = ""
) -> _Options:
    """Build a command's dataclass.

    Args:
        options_type: the dataclass.
        default: as for `list_options`.
        given: values by `Option.setting`; whatever is required is among them.
        section: what settings begin with, such as `optim.`.
    """
    values: dict[str, Any] = {}
    for field, kind, _ in _fields(options_type):
        setting, inherited = f"{section}{field.name}", _default(field, default)
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            values[field.name] = fill(kind, inherited, given, f"{setting}.")
        else:
            values[field.name] = given.get(setting, inherited)
    return options_type(**values)


def part_of(settings_type: type[_Options], options: object) -> _Options:
    """Give the settings among a command's options, which has their fields and its own.

    Args:
        settings_type: a dataclass.
        options: has a value for each of its fields.
    """
    values = {field.name: getattr(options, field.name) for field, *_ in _fields(settings_type)}
    return settings_type(**values)


def _walk(cls: type, default: object, section: str, prefix: str) -> Iterator[Option]:
    for field, kind, marks in _fields(cls):
        inherited = _default(field, default)
        setting, dashed = f"{section}{field.name}", field.name.replace("_", "-")
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            inner = prefix if _Place.FLAT in marks else f"{prefix}{dashed}."
            yield from _walk(kind, inherited, f"{setting}.", inner)
            continue
        is_positional = _Place.POSITIONAL in marks
        aliases = [flag for mark in marks if isinstance(mark, Aliases) for flag in mark.flags]
        yield Option(
            setting=setting,
            names=(field.name.upper(),) if is_positional else (f"--{prefix}{dashed}", *aliases),
            hint=get_type_hints(cls, include_extras=True)[field.name],
            default=inherited,
            owner=cls,
            is_positional=is_positional,
            has_opposite=_Place.SWITCH not in marks,
        )


def _fields(cls: type) -> Iterator[tuple[dataclasses.Field[Any], Any, tuple[Any, ...]]]:
    """Give each field with its type, and what is noted beside the type."""
    hints = get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        yield field, _bare(hint), marks


def _bare(hint: Any) -> Any:
    """A type without what is noted beside it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _default(field: dataclasses.Field[Any], default: object) -> Any:
    """A field's value in `default`, or the dataclass's own, or `MISSING`."""
    if default is not None and hasattr(default, field.name):
        return getattr(default, field.name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
