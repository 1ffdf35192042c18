"""Write the page of a run, finished or not, or of several beside each other."""

from dataclasses import dataclass
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional
from squeezespan.errors import UserError
from squeezespan.files import check_new_file

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
    if not options.runs:
        raise UserError("name one run folder or several: squeezespan report RUN [RUN...]")
    if len(options.runs) == 1:
        if options.out is not None:
            raise UserError("--out is for the page of several runs; one run's is its report.html")
        from squeezespan.reports.renew import renew_report

        print(renew_report(options.runs[0]))
        return
    if options.out is None:
        raise UserError("several runs need --out, a new HTML file for their page")
    check_new_file(options.out, "--out")
    from squeezespan.reports.several import write_several

    print(write_several(options.runs, options.out))
