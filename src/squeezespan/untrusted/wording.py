"""Foreign text and values inside our messages, which are one line whatever a file says."""

from typing import Any

__all__ = ["is_name", "on_one_line", "shown"]

_LONGEST = 200


def is_name(name: Any) -> bool:
    """Whether `name` is a text that could be in a published file: short, printable ASCII.

    Names go into messages and become names of modules, so others are refused where they are read.
    """
    return type(name) is str and 0 < len(name) <= _LONGEST and name.isascii() and name.isprintable()


def on_one_line(text: str) -> str:
    """Give a message, in which names of files may stand, as one line of printable characters."""
    return _printable(" ".join(text.split()))


def shown(value: Any, length: int = 60) -> str:
    """Give a value that a file holds in a form that is safe to print.

    Args:
        value: text, a number or anything else, of which only the kind is told.
        length: characters at most; what is longer is cut.

    Returns:
        Printable characters on one line, so that no file can write to the terminal.
    """
    if isinstance(value, str):
        text = value[: length + 1]
    elif value is None or isinstance(value, bool | int | float):
        # Python refuses to write numbers of more than 4,300 digits.
        is_long = isinstance(value, int) and value.bit_length() > 1000
        text = "a huge number" if is_long else str(value)
    else:
        text = "bytes" if isinstance(value, memoryview) else f"a {type(value).__name__}"
    clean = _printable(text)
    return clean if len(clean) <= length else f"{clean[:length]}..."


def _printable(text: str) -> str:
    """Spell out what would write to a terminal, or in no encoding at all."""
    return "".join(x if x.isprintable() else ascii(x)[1:-1] for x in text)
