"""Giving one entry of a pickled module another value."""

from dataclasses import replace
from typing import Any

import numpy as np
from checkpoint_files.persistence import Part

__all__ = ["changed", "other"]


def other(value: Any) -> Any:
    """A value of the same kind."""
    if isinstance(value, np.ndarray):
        return value * 2
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    if isinstance(value, str):
        return "resnetx"
    if isinstance(value, list | tuple) and value:
        return [other(x) for x in value]
    return 0.123 if value is None else value


def changed(part: Part, kind: str, name: str) -> Part:
    """A module of which one entry is another.

    Args:
        part: as the pickle would have it.
        kind: "arguments" or "attributes".
        name: of the entry; `dict.argument` for one in a dict of arguments.
    """
    outer, _, inner = name.partition(".")
    values = dict(getattr(part, kind))
    if inner:
        nested = dict(values.get(outer, {}))
        nested[inner] = other(nested.get(inner))
        values[outer] = nested
    else:
        values[outer] = other(values.get(outer))
    if kind == "arguments":
        return replace(part, arguments=values)
    return replace(part, attributes=values)
