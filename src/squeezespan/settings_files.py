"""The values in a settings file, whether it is JSON, TOML or YAML."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from squeezespan.errors import UserError

__all__ = ["read_values"]


def read_values(path: Path) -> object:
    """Read a file as the format that its name ends in: `.toml`, `.yaml` or `.yml`, else JSON.

    TOML has no null: a setting that may be None is set to it in JSON or YAML. YAML is read as
    version 1.2, in which `1e-3` is a number and `no` a word.

    Args:
        path: the file, UTF-8.

    Returns:
        Nested dicts, lists and primitives; TOML and YAML also have dates.

    Raises:
        UserError: the file cannot be read, is not of its format, or gives a name twice.
    """
    kind, load = _FORMATS.get(path.suffix.lower(), ("JSON", _load_json))
    try:
        # Some editors begin a file with a byte order mark.
        return load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the configuration {path}: {error}") from error
    # Besides the formats' own errors, numbers of thousands of digits and lists without end.
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid {kind}: {error}") from error


def _load_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that is given twice, of which JSON would take the last."""
    values: dict[str, object] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"{name} is given twice")
        values[name] = value
    return values


def _load_yaml(text: str) -> object:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}" if mark is not None else ""
        raise ValueError(f"{error.problem}{place}") from error
    except YAMLError as error:
        raise ValueError(str(error)) from error


_FORMATS: dict[str, tuple[str, Callable[[str], object]]] = {
    ".toml": ("TOML", tomllib.loads),
    ".yaml": ("YAML", _load_yaml),
    ".yml": ("YAML", _load_yaml),
}
