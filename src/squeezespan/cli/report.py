"""Write the page of a run, finished or not, or of several beside each other."""

from dataclasses import dataclass
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional

__all__ = ["Options", "run"]

_PROG = "squeezespan report"


@dataclass(frozen=True)
class Options:
    """What `squeezespan report` takes."""

    runs: Positional[tuple[Path, ...]] = ()
    """Run folders of `distill`, or of `gan train`."""
    out: Path | None = None
    """A new HTML file for the page of several runs; one run's page is the `report.html` in it."""


def run(argv: list[str]) -> None:
    """Run `squeezespan report`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option or a folder is not usable.
        StorageError: the page could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    from squeezespan.reports.report import report

    print(report(options.runs, options.out))
