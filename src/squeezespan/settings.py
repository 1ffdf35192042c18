"""Settings as frozen dataclasses: to and from files, with checked names, types and ranges.

A field says its range in its type, `alpha: Annotated[float, Range(0, 1)]`, and that is the only
place where the range stands.
"""

import dataclasses
import datetime
import difflib
import math
import reprlib
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from squeezespan.errors import UserError
from squeezespan.settings_files import read_values

__all__ = [
    "Range",
    "Seed",
    "Setting",
    "Spelling",
    "TestShare",
    "as_flag",
    "changed",
    "check_ranges",
    "closest",
    "flatten",
    "from_dict",
    "from_file",
    "located",
    "range_problem",
    "to_dict",
]

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Range:
    """The values that a number, or each number of a tuple, may take."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    """Whether `low` itself is excluded."""

    def __contains__(self, value: float) -> bool:
        reaches = value > self.low if self.above else value >= self.low
        return reaches and value <= self.high and _is_finite(value)

    def __str__(self) -> str:
        lower = f"{'above' if self.above else 'at least'} {self.low:.12g}"
        if not math.isfinite(self.high):
            return lower
        return f"{lower} and at most {self.high:.12g}"


Spelling = Callable[[str], str]
"""How messages name a setting: `str` as files do, `optim.base_lr`; a command by its flag."""

Setting = str | bool | int | float | Sequence[str | int | float] | None
"""What a setting may be before it is checked."""

Seed = Annotated[int, Range(0, 2**32 - 1)]
"""What every library that draws numbers takes."""

TestShare = Annotated[float, Range(0, 0.9, above=True)]
"""Share of images that become a test split."""


def to_dict(settings: Any) -> dict[str, Any]:
    """Give the settings as nested dicts, lists and primitives, ready for JSON.

    Args:
        settings: an instance of a settings dataclass.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            value = to_dict(value)
        values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def flatten(settings: Any) -> dict[str, Any]:
    """Give the settings as one dict from dotted name (`optim.base_lr`) to value."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            flat |= {f"{field.name}.{name}": item for name, item in flatten(value).items()}
        else:
            flat[field.name] = value
    return flat


def closest(name: str, known: list[str]) -> str:
    """Give ` (did you mean ...?)` for the known name nearest to `name`, or an empty string."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def located(where: str, problem: str) -> str:
    """Give a message about settings: where they come from, if that is to be said, and the rest."""
    return f"{where}: {problem}" if where else problem


def as_flag(setting: str) -> str:
    """Spell a setting of a training as its option, `train.max_steps` as `--max-steps`.

    Args:
        setting: its name with its section; those of the loop, and of what a generator's file can't
            say, have none on the command line.
    """
    name = setting.removeprefix("train.").removeprefix("opening.")
    return f"--{name.replace('_', '-')}"


def from_dict(cls: type[Settings], values: object, *, where: str) -> Settings:
    """Build settings from nested dicts; what is left out keeps its default.

    Args:
        cls: a settings dataclass.
        values: nested mappings as `to_dict` gives them.
        where: what to call the origin in messages, such as a file's name.

    Raises:
        UserError: an unknown name, a value of another type or out of its range; the message
            names `section.key`.
    """
    settings: Settings = _build(cls, values, "", where)
    check_ranges(settings, where=where)
    return settings


def changed(
    settings: Settings, changes: Mapping[str, Setting | Mapping[str, Setting]], *, where: str
) -> Settings:
    """Give settings with other values in the place of some.

    Args:
        settings: an instance of a settings dataclass, which stays as it is.
        changes: values by name, and mappings of them by section.
        where: as for `from_dict`.

    Raises:
        UserError: as `from_dict`.
    """
    values = to_dict(settings)
    for name, change in changes.items():
        section = values.get(name)
        if isinstance(section, dict) and isinstance(change, Mapping):
            values[name] = section | dict(change)
        else:
            values[name] = change
    return from_dict(type(settings), values, where=where)


def from_file(cls: type[Settings], path: Path) -> Settings:
    """Build settings from a JSON, TOML or YAML file; what is left out keeps its default.

    Raises:
        UserError: the file cannot be read or is not what its name says; or as `from_dict`.
    """
    return from_dict(cls, read_values(path), where=str(path))


def check_ranges(settings: Any, *, where: str, spell: Spelling = str) -> None:
    """Check every field that has a range or a fixed set of values.

    Args:
        settings: an instance of a settings dataclass.
        where: what to call the origin in messages; empty where names alone say it.
        spell: how messages name a setting.

    Raises:
        UserError: a value outside; the message names `section.key`.
    """
    for name, hint, value in _leaves(settings, ""):
        if isinstance(_convert(hint, value, name, where), str):
            continue
        if problem := range_problem(hint, value):
            raise UserError(located(where, f"{spell(name)} {problem}"))


def range_problem(hint: Any, value: Any) -> str:
    """Say how a value is outside the range of its type.

    Args:
        hint: the annotation of its field.
        value: of that type.

    Returns:
        Such as `is 1.2, but must be at least 0 and at most 1`; empty where nothing is wrong.
    """
    if isinstance(value, str):
        return ""
    kind, ranges = _split_annotated(hint)
    if isinstance(value, tuple):
        ranges = [*ranges, *_split_annotated(get_args(kind)[0])[1]]
    for allowed in ranges:
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and number not in allowed:
                limits = allowed if _is_finite(number) else "a finite number"
                return f"is {_shown(value)}, but must be {limits}"
    return ""


def _build(cls: Any, values: object, section: str, where: str) -> Any:
    if not isinstance(values, Mapping):
        raise UserError(f"{where}: {section.rstrip('.') or 'the file'} must hold settings by name")
    hints = get_type_hints(cls, include_extras=True)
    for name in values:
        if name not in hints:
            hint = closest(f"{section}{name}", [f"{section}{known}" for known in hints])
            raise UserError(f"{where}: unknown setting {section}{name}{hint}")
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        kind, _ = _split_annotated(hints[name])
        if dataclasses.is_dataclass(kind):
            arguments[name] = _build(kind, value, f"{section}{name}.", where)
        else:
            arguments[name] = _convert(hints[name], value, f"{section}{name}", where)
    return cls(**arguments)


def _leaves(settings: Any, section: str) -> Iterator[tuple[str, Any, Any]]:
    hints = get_type_hints(type(settings), include_extras=True)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from _leaves(value, f"{section}{field.name}.")
        else:
            yield f"{section}{field.name}", hints[field.name], value


def _split_annotated(hint: Any) -> tuple[Any, list[Range]]:
    """Give the bare type, `None` and ranges set aside, and the ranges."""
    origin = get_origin(hint)
    if origin is Annotated:
        kind, *extras = get_args(hint)
        return kind, [extra for extra in extras if isinstance(extra, Range)]
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return _split_annotated(options[0])
    return hint, []


def _convert(hint: Any, value: Any, name: str, where: str) -> Any:
    """Give `value` as the type of `hint`: JSON has no tuples, and writes 1.0 as it likes."""
    if value is None and type(None) in get_args(hint):
        return None
    if isinstance(value, str) and value in _words(hint):
        return value
    kind, _ = _split_annotated(hint)
    origin = get_origin(kind)
    if origin is Literal:
        choices = get_args(kind)
        if value not in choices:
            options = ", ".join(map(str, choices))
            hint = closest(value, list(map(str, choices))) if isinstance(value, str) else ""
            raise UserError(
                f"{where}: {name} is {_shown(value)}, but must be one of {options}{hint}"
            )
        return value
    if origin is tuple:
        return _convert_tuple(kind, value, name, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise UserError(f"{where}: {name} is {_shown(value)}, which is too large") from None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        expected = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
        or_word = "".join(f" or {word}" for word in _words(hint))
        raise UserError(
            f"{where}: {name} is {_shown(value)}, but must be {expected[kind]}{or_word}"
        )
    return value


def _words(hint: Any) -> list[str]:
    """Give the words that may stand in the place of a number, as `auto` does."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else ()
    return [
        word for option in options if get_origin(option) is Literal for word in get_args(option)
    ]


def _convert_tuple(kind: Any, value: Any, name: str, where: str) -> tuple[Any, ...]:
    kinds = get_args(kind)
    if not isinstance(value, (list, tuple)):
        raise UserError(f"{where}: {name} is {_shown(value)}, but must be a list")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise UserError(f"{where}: {name} is {_shown(value)}, but must have {len(kinds)} values")
    return tuple(_convert(item, one, name, where) for item, one in zip(kinds, value, strict=True))


def _is_finite(number: float) -> bool:
    return isinstance(number, int) or math.isfinite(number)


def _shown(value: object) -> str:
    """A value for a message, which a long one would drown, and YAML's anchors can make endless."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    if isinstance(value, datetime.date | datetime.time):
        return f"the date or time {value}"
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring = 2, 200
