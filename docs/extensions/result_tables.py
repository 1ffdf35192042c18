"""Tables of results/, made when the site is built, from the files that the runs left.

    ```{result-table} mini-cifar10/accuracies.csv
    :rows: run
    :columns: protocol
    :value: accuracy
    ```

puts a share in percent at every row and column, with its interval where the file has one. With
`:columns:` alone these columns are shown, numbers with four digits; `name = heading` renames one,
or the rows.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from squeezespan.experiments.table import PROTOCOL_NAMES

__all__ = ["as_nodes", "chosen", "crossed", "setup"]

_RESULTS = Path(__file__).resolve().parents[2] / "results"

_INTERVALS = (("interval_low", "interval_high"), ("low", "high"))
"""How files call the ends of an interval: those of single runs, and tables of `reproduce`."""

_SPOKEN = {str(protocol): name for protocol, name in PROTOCOL_NAMES.items()}
Row = dict[str, str]
_NUMBER = re.compile(r"-?\d+\.\d+")


def chosen(rows: Sequence[Row], columns: str) -> list[list[str]]:
    """Give a heading and the cells of some columns.

    Args:
        rows: of a file, by its own headings.
        columns: separated by commas; `name = heading` renames one.

    Raises:
        KeyError: there is no such column.
    """
    pairs = [column.partition("=") for column in columns.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    heading = [shown.strip() or name.strip() for name, _, shown in pairs]
    cells = [_shortened([row[name] for row in rows]) for name in names]
    return [heading, *map(list, zip(*cells, strict=True))]


def _shortened(cells: list[str]) -> list[str]:
    """Leave four digits in a column whose numbers have more behind the point than anyone reads."""
    decimals = max(
        (len(cell.partition(".")[2]) for cell in cells if _NUMBER.fullmatch(cell)), default=0
    )
    return [_four_digits(cell, decimals) for cell in cells] if decimals > 2 else cells


def _four_digits(cell: str, decimals: int) -> str:
    if not _NUMBER.fullmatch(cell):
        return cell
    shown = f"{float(cell):#.4g}"
    return min(shown, f"{float(cell):.{decimals}f}", key=len)


def crossed(rows: Sequence[Row], down: str, across: str, value: str) -> list[list[str]]:
    """Give a heading and a line for each value of one column, a cell for each of another.

    Args:
        rows: of a file, by its own headings.
        down: the column whose values begin the lines; `name = heading` renames it.
        across: the column whose values are the headings.
        value: the column of shares, from 0 to 1, that stand in the cells in percent.

    Raises:
        KeyError: there is no such column.
        ValueError: two rows of one cell.
    """
    down, _, shown = (part.strip() for part in down.partition("="))
    lines = list(dict.fromkeys(row[down] for row in rows))
    headings = list(dict.fromkeys(row[across] for row in rows))
    cells: dict[tuple[str, str], str] = {}
    for row in rows:
        place = row[down], row[across]
        if place in cells:
            raise ValueError(f"two rows have {down} {place[0]} and {across} {place[1]}")
        cells[place] = _percent(row, value)
    return [
        [shown or down, *(f"{_SPOKEN.get(name, name)} %" for name in headings)],
        *([line, *(cells.get((line, name), "") for name in headings)] for line in lines),
    ]


def _percent(row: Row, value: str) -> str:
    shown = f"{100 * float(row[value]):.1f}"
    for ends in _INTERVALS:
        if row.get(ends[0]):
            low, high = (100 * float(row[name]) for name in ends)
            return f"{shown} ({low:.1f} to {high:.1f})"
    return shown


class ResultTable(SphinxDirective):
    """The directive."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("rows", "columns", "value"), directives.unchanged_required
    )

    def run(self) -> list[nodes.Node]:
        """Give the table."""
        file = _RESULTS / self.arguments[0]
        self.env.note_dependency(str(file))
        try:
            with file.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            columns = self.options["columns"]
            if "rows" in self.options:
                table = crossed(rows, self.options["rows"], columns, self.options["value"])
            else:
                table = chosen(rows, columns)
        except (KeyError, OSError, ValueError) as problem:
            raise self.error(f"results/{self.arguments[0]}: {problem!r}") from problem
        return [as_nodes(table)]


def as_nodes(lines: Sequence[Sequence[str]]) -> nodes.table:
    """Make a table of a heading and the lines under it."""
    group = nodes.tgroup(cols=len(lines[0]))
    group += [nodes.colspec(colwidth=1) for _ in lines[0]]
    rows = [
        nodes.row("", *(nodes.entry("", nodes.paragraph(text=cell)) for cell in line))
        for line in lines
    ]
    group += [nodes.thead("", rows[0]), nodes.tbody("", *rows[1:])]
    return nodes.table("", group)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("result-table", ResultTable)
    return {"parallel_read_safe": True}
