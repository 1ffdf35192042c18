"""What networks, modules and weights may be called."""

from typing import Any

from squeezespan.untrusted.pickles.limits import MAX_NAME

__all__ = ["is_name"]


def is_name(name: Any) -> bool:
    """Whether `name` is a text that could be in a published file: short, printable ASCII.

    Names go into messages and become names of modules, so others are refused where they are read.
    """
    return type(name) is str and 0 < len(name) <= MAX_NAME and name.isascii() and name.isprintable()
