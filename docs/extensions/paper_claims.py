"""The paper's claims and what became of them here, made of results/ when the site is built.

    ```{paper-claims}
    ```

A claim is one of `squeezespan.experiments.catalog` between two rows that the paper has numbers of,
or one of `_OTHERS`. What was measured is taken from the `table.json` that `squeezespan reproduce`
left anywhere in results/; where there is none of that table, from the earlier files that `_EARLIER`
and `_OTHERS` name.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docutils import nodes
from result_tables import as_nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from squeezespan.evaluation.claims import judge
from squeezespan.experiments.catalog import EXPERIMENTS
from squeezespan.experiments.experiment import Claim, Experiment

__all__ = ["HEADING", "UNMEASURED", "Line", "lines", "setup"]

_RESULTS = Path(__file__).resolve().parents[2] / "results"

HEADING = ("claim", "verdict", "ours", "the paper's difference, points", "where", "file")
UNMEASURED = "unmeasured"
_TABLES = ("table1", "table2", "ablation", "table5", "table6", "table7")
_BY_TEACHER = ("fig4", "table7")
_EARLIER = "mini-cifar10/accuracies.csv"
"""Of single runs, before there was `reproduce`; with the paper's target."""
_RUNS = {
    "vicreg-real": "vicreg-real-0",
    "vicreg-mixed": "vicreg-mixed-0",
    "squeeze": "squeeze-0",
    "squeeze-span": "squeeze-span-0",
}
"""Key of an arm to the run of those files."""


@dataclass(frozen=True)
class Line:
    """A claim, and one measurement of it."""

    claim: str
    where: str
    paper: str
    ours: str = "-"
    verdict: str = UNMEASURED
    file: str = ""


def lines(results: Path = _RESULTS) -> list[Line]:
    """Give every claim of the paper with each of its measurements, or one that says there is none.

    Args:
        results: folder of what was measured.
    """
    tables = [
        json.loads(file.read_text("utf-8")) | {"file": file.relative_to(results).as_posix()}
        for file in _tables(results)
    ]
    found: list[Line] = []
    for name in _TABLES:
        experiment = EXPERIMENTS[name]
        for claim in experiment.claims:
            paper = _papers_difference(experiment, claim)
            if not paper:
                continue
            line = Line(claim.text, name, paper)
            measured = _measured(line, tables)
            if not measured and experiment.judges == "test":
                measured = [_earlier(line, claim, results) or line]
            found += measured or [line]
    for name in _BY_TEACHER:
        for asked in EXPERIMENTS[name].teacher_claims:
            line = Line(asked.text, name, asked.paper)
            measured = _measured(line, tables)
            if not measured and name == "fig4":
                measured = [_better_generator(line, results)]
            found += measured or [line]
    return [*found, *(line for make in _OTHERS for line in make(results))]


def _measured(line: Line, tables: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Give the measurements of a claim in tables of its experiment."""
    return [
        replace(
            line,
            ours=f"{_points(said['difference'], said['interval'])}, {_place(said)}, "
            f"--scale {table['scale']}",
            verdict=said["verdict"],
            file=table["file"],
        )
        for table in tables
        if table["experiment"] == line.where
        for said in table["claims"]
        if said["claim"] == line.claim and said["difference"] is not None
    ]


def _tables(results: Path) -> Iterator[Path]:
    return (file for file in sorted(results.rglob("table.json")) if "cells" not in file.parts)


def _papers_difference(experiment: Experiment, claim: Claim) -> str:
    better, than = (experiment.paper.get(key, {}) for key in (claim.better, claim.than))
    return ", ".join(
        f"{place} {better[place] - than[place]:+.2f}" for place in better if place in than
    )


def _place(said: dict[str, str]) -> str:
    trained, judged = said["trained_on"], said["judged_on"]
    return trained if trained == judged else f"{trained} > {judged}"


def _points(difference: float, interval: list[float] | tuple[float, float]) -> str:
    low, high = (100 * end for end in interval)
    return f"{100 * difference:+.1f} ({low:+.1f} to {high:+.1f}) points"


def _earlier(line: Line, claim: Claim, results: Path) -> Line | None:
    if not {claim.better, claim.than} <= _RUNS.keys():
        return None
    sides = [(_EARLIER, _RUNS[key]) for key in (claim.better, claim.than)]
    return _compared(line, sides, claim.by / 100, results)


def _compared(line: Line, sides: list[tuple[str, str]], by: float, results: Path) -> Line | None:
    """Compare two runs of one seed by the linear probe.

    Their images are the same, but which of them each got right isn't kept: the interval is that of
    two independent figures, which is wider than one image by image.
    """
    rows = [row for file, run in sides for row in _rows(results / file) if _is_linear(row, run)]
    if len(rows) < len(sides):
        return None
    accuracy = [float(row["accuracy"]) for row in rows]
    half = math.hypot(
        *((float(row["interval_high"]) - float(row["interval_low"])) / 2 for row in rows)
    )
    gap = accuracy[0] - accuracy[1]
    interval = (gap - half, gap + half)
    return Line(
        line.claim,
        line.where,
        line.paper,
        f"{_points(gap, interval)}, CIFAR-10 (JPEG), small, one seed",
        judge(interval, by),
        ", ".join(dict.fromkeys(file for file, _ in sides)),
    )


def _is_linear(row: dict[str, str], run: str) -> bool:
    return row["run"] == run and row["protocol"] == "linear"


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _better_generator(line: Line, results: Path) -> Line:
    """Compare squeeze and span from two generators, from single runs."""
    files = ("mini-cifar10/half/accuracies.csv", "mini-cifar10/first-gan/accuracies.csv")
    sides = [(file, _RUNS["squeeze-span"]) for file in files]
    return _compared(line, sides, 0.0, results) or line


def _architectures(_results: Path) -> list[Line]:
    return [
        Line(
            "Squeeze learns from generators of other architectures, too",
            "table7",
            "cifar10 76.28 (AutoGAN) to 88.90 (StyleGAN2-ADA, conditional), no difference",
        )
    ]


def _layers(
    network: str, column: str, bar: float, words: tuple[str, str]
) -> Callable[[Path], list[Line]]:
    claim, paper = words
    where, file, side = "Fig. 1 of the appendix", "analysis/shares.csv", column.partition("_")[0]

    def make(results: Path) -> list[Line]:
        found = []
        for row in _rows(results / file):
            if row["network"].startswith(network):
                interval = (float(row[f"{side}_low"]), float(row[f"{side}_high"]))
                low, high = (100 * end for end in interval)
                ours = (
                    f"{100 * float(row[column]):.1f}% ({low:.1f} to {high:.1f}) of pairs, "
                    f"{row['network']}, {row['layers']}, images: {row['images']}"
                )
                found.append(Line(claim, where, paper, ours, judge(interval, bar), file))
        return found or [Line(claim, where, paper)]

    return make


_OTHERS: tuple[Callable[[Path], list[Line]], ...] = (
    _architectures,
    _layers(
        "generator",
        "below_0.8",
        0.5,
        ("Most pairs of a generator's layers are below 0.8 in CKA", "most: above 50% of pairs"),
    ),
    _layers(
        "ResNet",
        "above_0.85",
        0.25,
        ("Many pairs of a ResNet's layers are above 0.85", "many: above 25%, our reading"),
    ),
)
"""Claims that are none between two rows of a table."""


class PaperClaims(SphinxDirective):
    """The directive."""

    def run(self) -> list[nodes.Node]:
        """Give the table, and how many claims have which verdict."""
        found = lines()
        for file in {name for line in found for name in line.file.split(", ") if name}:
            self.env.note_dependency(str(_RESULTS / file))
        verdicts = [line.verdict for line in found]
        counted = ", ".join(f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts))
        cells = [
            [line.claim, line.verdict, line.ours, line.paper, line.where, line.file]
            for line in found
        ]
        return [nodes.paragraph(text=f"So far: {counted}."), as_nodes([list(HEADING), *cells])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("paper-claims", PaperClaims)
    return {"parallel_read_safe": True}
