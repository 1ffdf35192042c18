"""Checking what a file says of its network, before anything of such sizes is built."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from squeezespan.errors import UserError
from squeezespan.settings import check_ranges
from squeezespan.untrusted.wording import shown

__all__ = ["check_description", "checked"]

_MAX_SIZE = 1 << 24
_MAX_LAYERS = 100
_MAX_KERNEL = 64


@contextmanager
def checked(where: str, what: str) -> Iterator[None]:
    """Make one line of whatever a file's description of its network makes fail.

    Args:
        where: the line's begin, with the file's path.
        what: the network should be, such as the name of a family.

    Raises:
        UserError: something failed.
    """
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {shown(str(error), 300)}") from error
    # A damaged description fails in as many ways as the arithmetic on it.
    except Exception as error:
        reason = shown(str(error), 120)
        raise UserError(f"{where}: its sizes make no {what}: {reason}") from error


def check_description(config: Any) -> None:
    """Refuse, say, text for a number, and sizes of which even the outline would take long to build.

    Args:
        config: a dataclass; its tuples and dataclasses are looked into.

    Raises:
        UserError: the message names the field.
    """
    for name, value in _numbers(config):
        limit = _limit(name)
        if not 0 <= value <= limit:
            raise UserError(f"its {name} is {shown(value)}, which no network has")
    check_ranges(config, where="its configuration")
    for layer in getattr(config, "layers", ()):
        check_ranges(layer, where="a layer")


def _limit(name: str) -> int:
    if name.endswith("layers"):
        return _MAX_LAYERS
    return _MAX_KERNEL if name.endswith(("kernel", "kernels", "bottom_width")) else _MAX_SIZE


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
