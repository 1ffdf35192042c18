"""Several runs beside each other on one page: a table, and curves over a common axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from squeezespan import __version__
from squeezespan.config import load_config
from squeezespan.distillation.folder import distill_folder
from squeezespan.errors import UserError
from squeezespan.files import write_text
from squeezespan.gan.train import gan_folder
from squeezespan.reports.line_chart import Line, line_chart
from squeezespan.reports.metrics import Record, read_metrics
from squeezespan.reports.page import render
from squeezespan.reports.renew import RunKind, kind_of_run
from squeezespan.reports.run import title_of

__all__ = ["write_several"]


class _Numbers(NamedTuple):
    """Which numbers of `metrics.jsonl` a curve shows."""

    kind: str
    name: str
    prefix: str
    """Of the names of its interval."""


class _Unit(NamedTuple):
    """How numbers and images are counted on a page."""

    scale: float
    images: int
    label: str


_STUDENT_UNIT = _Unit(1, 1, "images through the student")
_GAN_UNIT = _Unit(1000, 1000, "thousand real images")
_TIMES = ((86400, "days"), (3600, "hours"), (60, "minutes"))
_COLORS = ("var(--rose)", "var(--blue)", "var(--teal)", "var(--amber)", "var(--gray)")


@dataclass(frozen=True)
class _Run:
    name: str
    color: str
    what: str
    state: str
    lines: list[Record]
    batch: int

    def of(self, kind: str) -> list[Record]:
        return [line for line in self.lines if line["kind"] == kind]

    def seconds(self, step: int) -> float:
        """Of training until a step, between the lines that tell it."""
        known = self.of("train")
        steps, seconds = ([line[key] for line in known] for key in ("step", "seconds"))
        return float(np.interp(step, [0, *steps], [0.0, *seconds]))


def write_several(runs: Sequence[Path], page: Path) -> Path:
    """Write a page that compares runs, whether finished, going on or stopped.

    Args:
        runs: folders of `distill`, or of `gan train`; five at most, so that each has a color.
        page: the HTML file to make.

    Returns:
        The page's path.

    Raises:
        UserError: too many runs, one named twice, runs of different kinds, or a damaged folder.
        StorageError: the disk is full.
    """
    if len(runs) > len(_COLORS):
        raise UserError(f"a page compares at most {len(_COLORS)} runs, not {len(runs)}")
    kinds = {run: kind_of_run(run) for run in runs}
    if len(set(kinds.values())) > 1:
        raise UserError("a page compares students with students or GANs with GANs, not both")
    read = [
        _read(run, name, color, kinds[run])
        for run, name, color in zip(runs, _names(runs), _COLORS, strict=False)
    ]
    rows, charts = _students(read) if kinds[runs[0]] == "student" else _gans(read)
    text = render(
        "several.html.j2",
        title=f"{len(runs)} runs beside each other",
        version=__version__,
        legend=[(run.name, run.color) for run in read],
        rows=rows,
        charts=[chart for chart in charts if chart is not None],
    )
    write_text(page, text)
    return page


def _names(runs: Sequence[Path]) -> list[str]:
    """Give each run the end of its path that tells it from the others."""
    paths = [run.resolve() for run in runs]
    if len(set(paths)) < len(paths):
        raise UserError(f"a run is named twice: {', '.join(map(str, runs))}")
    for length in range(1, max(len(path.parts) for path in paths)):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _read(run: Path, name: str, color: str, kind: RunKind) -> _Run:
    lines = read_metrics(run / "metrics.jsonl")
    if kind == "student":
        config = load_config(run / "config.json")
        state = distill_folder(run).describe_state()
        return _Run(name, color, title_of(config), state, lines, config.train.batch_size)
    folder = gan_folder(run)
    settings = folder.saved()
    what = f"GAN of {settings.side}x{settings.side} images"
    return _Run(name, color, what, folder.describe_state(), lines, settings.train.batch_size)


def _charts(runs: list[_Run], title: str, numbers: _Numbers, unit: _Unit) -> list[Markup | None]:
    """Draw a number twice: over the images that a run has seen, and over its time."""
    drawn = []
    longest = max((line["seconds"] for run in runs for line in run.of("train")), default=0.0)
    size, time_unit = next((found for found in _TIMES if longest >= 2 * found[0]), _TIMES[-1])
    for by_time in (False, True):
        lines = []
        for run in runs:
            found = [
                (run.seconds(line["step"]) / size, line)
                if by_time
                else (line["step"] * run.batch / unit.images, line)
                for line in run.of(numbers.kind)
                if numbers.name in line
            ]
            low, high = (f"{numbers.prefix}_{end}" for end in ("low", "high"))
            points = [(x, unit.scale * line[numbers.name]) for x, line in found]
            band = [(x, unit.scale * line[low], unit.scale * line[high]) for x, line in found]
            lines.append(Line(run.name, run.color, points, band, dots=True))
        x_label = f"{time_unit} of training" if by_time else unit.label
        percent = unit.scale == 1
        drawn.append(line_chart(lines, title=title, x_label=x_label, percent=percent))
    return drawn


def _students(runs: list[_Run]) -> tuple[list[dict[str, Any]], list[Markup | None]]:
    rows = []
    for run in runs:
        score, interval = "not measured", ""
        if checks := run.of("knn"):
            score = f"{checks[-1]['knn_accuracy']:.1%}"
            interval = f"{checks[-1]['knn_low']:.1%} to {checks[-1]['knn_high']:.1%}"
        rows.append(_row(run, score, interval))
    numbers = _Numbers("knn", "knn_accuracy", "knn")
    return rows, _charts(runs, "kNN on held-out images", numbers, _STUDENT_UNIT)


def _gans(runs: list[_Run]) -> tuple[list[dict[str, Any]], list[Markup | None]]:
    snapshots = {run.name: run.of("snapshot") for run in runs}
    lines = [line for found in snapshots.values() for line in found]
    measured = dict.fromkeys(key for line in lines for key in line if f"{key}_low" in line)
    rows = []
    for run in runs:
        found = {
            key: [1000 * line[key] for line in snapshots[run.name] if key in line]
            for key in measured
        }
        best = [f"{min(values):.3g}" for values in found.values() if values]
        rows.append(_row(run, ", ".join(best) or "not measured"))
    charts: list[Markup | None] = []
    for key in measured:
        judge = key.removeprefix("kernel_")
        title = f"kernel distance x 1000 by {judge}"
        charts += _charts(runs, title, _Numbers("snapshot", key, key), _GAN_UNIT)
    return rows, charts


def _row(run: _Run, score: str, interval: str = "") -> dict[str, Any]:
    trained = run.of("train")
    return {
        "name": run.name,
        "color": run.color,
        "what": run.what,
        "state": run.state,
        "images": trained[-1]["step"] * run.batch if trained else 0,
        "seconds": trained[-1]["seconds"] if trained else 0.0,
        "score": score,
        "interval": interval,
    }
