"""Figures and columns of what a command prints."""

import textwrap
from collections.abc import Mapping, Sequence

__all__ = ["percent", "two_columns"]

_LINE, _VALUE = 88, 40
"""Letters of a line, and of the second column at the least."""


def percent(share: float, interval: Sequence[float]) -> str:
    """Give a share, 0 to 1, with its 95% interval."""
    low, high = interval
    return f"{share:.2%} (95% interval {low:.2%} to {high:.2%})"


def two_columns(rows: Mapping[str, str]) -> list[str]:
    """Give lines of names and values; long values go on in the second column.

    Args:
        rows: values by name.
    """
    width = max(map(len, rows))
    rest = max(_LINE - width - 2, _VALUE)
    lines = []
    for name, value in rows.items():
        first, *more = textwrap.wrap(
            value, rest, break_long_words=False, break_on_hyphens=False
        ) or [""]
        lines += [f"{name:{width}}  {first}", *(f"{'':{width}}  {line}" for line in more)]
    return lines
