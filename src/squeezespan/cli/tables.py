"""Names and values as text in two columns."""

import textwrap
from collections.abc import Mapping

__all__ = ["two_columns"]

_WIDTH = 80


def two_columns(rows: Mapping[str, str]) -> list[str]:
    """Give lines of names and values; long values go on in the second column.

    Args:
        rows: values by name.
    """
    width = max(map(len, rows))
    lines = []
    for name, value in rows.items():
        first, *more = textwrap.wrap(value, _WIDTH, break_on_hyphens=False) or [""]
        lines += [f"{name:{width}}  {first}", *(f"{'':{width}}  {line}" for line in more)]
    return lines
