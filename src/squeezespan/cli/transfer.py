"""Judge backbones on other data sets than their own, in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional
from squeezespan.errors import UserError
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.files import check_new_file, write_json

__all__ = ["Options", "run"]

_PROG = "squeezespan transfer"


@dataclass(frozen=True, kw_only=True)
class Options(ProbeOptions):
    """What `squeezespan transfer` takes."""

    runs: Positional[tuple[str, ...]] = ()
    """Run folders or student.safetensors files."""
    data: tuple[str, ...]
    """Data specs with labelled train and test splits."""
    protocol: Protocol = "linear"
    """How the features are judged; `linear` is the paper's probe."""
    json: Path | None = None
    """A new file for all results and what they depend on."""


def run(argv: list[str]) -> None:
    """Run `squeezespan transfer`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, weights or data are not usable.
        StorageError: the result could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    if not options.runs:
        raise UserError(f"name one run folder or several: {_PROG} RUN [RUN...] --data SPEC...")
    check_new_file(options.json, "--json")
    from squeezespan.evaluation.transfer import transfer

    results = transfer(options.runs, options.data, options.protocol, options)
    print(_table(results, options.data))
    if options.json is not None:
        write_json(options.json, results)


def _table(results: Sequence[Mapping[str, Any]], data: Sequence[str]) -> str:
    lines = [("trained run", *data)]
    for start in range(0, len(results), len(data)):
        row = results[start : start + len(data)]
        lines.append((row[0]["weights"], *map(_cell, row)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    own = "; *: images that the run was trained on" if any(r["own_data"] for r in results) else ""
    protocol = results[0]["protocol"]
    return f"{table}\nTop-1 by the protocol {protocol}, %, with {results[0]['interval_kind']}{own}"


def _cell(result: Mapping[str, Any]) -> str:
    low, high = (end * 100 for end in result["interval"])
    mark = "*" if result["own_data"] else ""
    return f"{result['accuracy'] * 100:.1f}{mark} ({low:.1f} to {high:.1f})"
