"""`report`: the page of a run, or of several beside each other."""

from collections.abc import Sequence
from pathlib import Path

from squeezespan.errors import UserError
from squeezespan.files import check_new_file
from squeezespan.reports.renew import renew_report
from squeezespan.reports.several import write_several

__all__ = ["report"]


def report(runs: str | Path | Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Write the page of a run, finished or not, or of several beside each other.

    Args:
        runs: a folder of `distill` or `train_gan`, or several of one of these.
        out: a new HTML file for the page of several; one run's is the `report.html` in it.

    Returns:
        The page's path.

    Raises:
        UserError: a folder that is none of a run; `out` is missing, too much or not new.
        StorageError: the disk is full.
    """
    folders = [Path(run) for run in ([runs] if isinstance(runs, str | Path) else runs)]
    if not folders:
        raise UserError("name one run folder or several: squeezespan report RUN [RUN...]")
    if len(folders) == 1:
        if out is not None:
            raise UserError("--out is for the page of several runs; one run's is its report.html")
        return renew_report(folders[0])
    if out is None:
        raise UserError("several runs need --out, a new HTML file for their page")
    check_new_file(Path(out), "--out")
    return write_several(folders, Path(out))
