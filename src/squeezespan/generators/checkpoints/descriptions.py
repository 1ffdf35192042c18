"""Checking what a file says of its network, before anything of such sizes is built."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from squeezespan.errors import UserError
from squeezespan.settings import check_ranges
from squeezespan.untrusted.wording import shown

__all__ = ["check_sizes", "check_types"]

_MAX_SIZE = 1 << 24
_MAX_LAYERS = 100
_MAX_KERNEL = 64


def check_sizes(config: Any) -> None:
    """Refuse sizes that no network has, on which even the outline would take long to build.

    Args:
        config: a dataclass; its tuples and dataclasses are looked into.

    Raises:
        UserError: the message names the size.
    """
    for name, value in _numbers(config):
        limit = _limit(name)
        if not 0 <= value <= limit:
            raise UserError(f"its {name} is {shown(value)}, which no network has")


def _limit(name: str) -> int:
    if name.endswith("layers"):
        return _MAX_LAYERS
    return _MAX_KERNEL if name.endswith(("kernel", "kernels", "bottom_width")) else _MAX_SIZE


def check_types(config: Any) -> None:
    """Refuse a description with, say, text for a number, which only the first image would show.

    Args:
        config: a dataclass, with layers or without.

    Raises:
        UserError: the message names the field.
    """
    check_ranges(config, where="its configuration")
    for layer in getattr(config, "layers", ()):
        check_ranges(layer, where="a layer")


def _numbers(config: Any) -> Iterator[tuple[str, float]]:
    """Names and numbers of a configuration and of those in it."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        items = value if isinstance(value, tuple | list) else (value,)
        if len(items) > _MAX_LAYERS:
            raise UserError(f"its {field.name} has {len(items)} entries, which no network has")
        for item in items:
            if dataclasses.is_dataclass(item):
                yield from _numbers(item)
            elif isinstance(item, int | float):
                yield field.name, item
