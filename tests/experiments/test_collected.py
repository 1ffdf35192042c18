"""What the files of an experiment's cells say together, worked out by hand."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from squeezespan.evaluation.hits import pack_hits
from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.paired import nested_interval
from squeezespan.experiments import evaluations
from squeezespan.experiments.cells import Cell
from squeezespan.experiments.columns import Column
from squeezespan.experiments.evaluations import Target, evaluate
from squeezespan.experiments.experiment import Arm, Claim, Experiment
from squeezespan.experiments.results import (
    Difference,
    Found,
    Results,
    Verdict,
    collect,
    difference,
    verdicts,
)
from squeezespan.experiments.runner import Task
from squeezespan.experiments.teachers import TeacherScore

# Not in the order of their names.
ARMS = (Arm("zebra", "Zebra", "", ""), Arm("ant", "Ant", "", ""))
PROTOCOLS: tuple[Protocol, ...] = ("knn", "fewshot")
EXPERIMENT = Experiment(
    "t", "T", "", ARMS, PROTOCOLS, claims=(Claim("zebras are better", "zebra", "ant"),)
)
COLUMNS = [Column(name, f"folder:{name}", "") for name in ("here", "there")]
RIGHT = {"zebra": [1, 1, 1, 0], "ant": [1, 0, 0, 0]}
"""Images that are classified correctly by neighbours, whatever the seed."""


def packed(hits: Sequence[int]) -> str:
    return pack_hits(torch.tensor(hits, dtype=torch.bool))


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Both arms on two data sets with seeds 3 and 2; one of them is not trained yet."""

    def judged(run: Path, data: str, protocols: Sequence[Protocol], _: ProbeOptions) -> Any:
        about = {"n_test": 4, "data": data}
        few = [packed(hits) for hits in ([1, 0, 0, 0], [1, 1, 0, 0])]
        hits = {"knn": packed(RIGHT[run.name]), "fewshot": few}
        return {name: {**about, "hits": hits[name]} for name in protocols}

    monkeypatch.setattr(evaluations, "probe_all", judged)
    made = []
    for arm in ARMS[::-1]:
        for column in COLUMNS[::-1]:
            for seed in (3, 2):
                cell = Cell(arm, column, seed, None, "", None)
                folder = tmp_path / f"{arm.key}-{column.name}-{seed}"
                options = ProbeOptions()
                targets = (Target.of(column),)
                task = Task(cell, folder, targets, PROTOCOLS, options)
                made.append(task)
                if (arm.key, column.name, seed) == ("zebra", "here", 3):
                    continue
                evaluate(Path(arm.key), folder / "evaluations", targets[0], PROTOCOLS, options)
                curve = [{"step": step, "knn_accuracy": step / 10} for step in (seed, 2 * seed)]
                (folder / "cell.json").write_text(json.dumps({"curve": curve, "passes": 70}))
    return made


def test_cells_are_collected_by_arm_data_set_and_protocol(tasks: list[Task]) -> None:
    scores = {"here": TeacherScore(9, 0, 1, 1, 9)}
    known = collect(EXPERIMENT, tasks, scores)
    assert known.experiment is EXPERIMENT
    assert known.teachers == scores
    assert collect(EXPERIMENT, tasks).teachers == {}
    assert len(known.found) == 8
    one = known.get("zebra", "there", "there", "knn")
    assert one is not None
    assert (one.arm, one.column, one.target, one.protocol) == ("zebra", "there", "there", "knn")
    assert one.seeds == [2, 3]
    assert one.hits[2].tolist() == [1, 1, 1, 0]
    assert one.accuracy == 0.75
    assert one.trainings[3]["passes"] == 70
    assert one.evaluations[3]["data"] == "folder:there"
    assert known.get("zebra", "there", "here", "knn") is None
    # Of few labels, the share of the draws that class an image rightly.
    few = known.get("zebra", "here", "here", "fewshot")
    assert few is not None
    assert {seed: hits.tolist() for seed, hits in few.hits.items()} == {2: [1, 0.5, 0, 0]}
    assert few.accuracy == 0.375
    assert known.places() == [("there", "there"), ("here", "here")]


def test_curves_are_in_the_order_of_arms_data_sets_and_seeds(tasks: list[Task]) -> None:
    curves = collect(EXPERIMENT, tasks).curves()
    assert [(point["arm"], point["trained_on"], point["seed"]) for point in curves[::2]] == [
        ("zebra", "here", 2),
        ("zebra", "there", 2),
        ("zebra", "there", 3),
        ("ant", "here", 2),
        ("ant", "here", 3),
        ("ant", "there", 2),
        ("ant", "there", 3),
    ]
    where = {"arm": "zebra", "trained_on": "here", "seed": 2}
    assert curves[:2] == [
        {**where, "step": 2, "knn_accuracy": 0.2},
        {**where, "step": 4, "knn_accuracy": 0.4},
    ]


def test_claims_are_judged_by_the_first_protocol_on_every_data_set(tasks: list[Task]) -> None:
    known = collect(EXPERIMENT, tasks)
    said = dict(verdicts(known))
    assert list(said) == [("there", "there"), ("here", "here")]
    assert said["here", "here"].claim is EXPERIMENT.claims[0]
    gap = said["there", "there"].difference
    assert gap == Difference(
        "zebra",
        "ant",
        "there",
        "there",
        "knn",
        (2, 3),
        0.5,
        nested_interval(torch.tensor([[0.0, 1.0, 1.0, 0.0]] * 2)),
    )
    assert gap is not None
    assert gap.interval_kind == "over seeds and images"
    here = said["here", "here"].difference
    assert here is not None
    assert (here.seeds, here.interval_kind) == ((2,), "over images, one seed")
    few = difference(known, "zebra", "ant", ("here", "here"), "fewshot")
    assert few is not None
    assert few.difference == 0
    assert difference(known, "zebra", "ant", ("here", "there"), "knn") is None


def test_arms_without_a_seed_in_common_have_no_difference(tasks: list[Task]) -> None:
    known = collect(EXPERIMENT, tasks)
    key: tuple[str, str, str, Protocol] = ("ant", "here", "here", "knn")
    ant = replace(known.found[key], hits={3: known.found[key].hits[3]})
    apart = replace(known, found={**known.found, key: ant})
    assert difference(apart, "zebra", "ant", ("here", "here"), "knn") is None


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.011, 0.02), "held"),
        ((0.01, 0.02), "undecided"),
        ((0.005, 0.01), "undecided"),
        ((0.001, 0.009), "not held"),
    ],
)
def test_a_claim_of_one_point_holds_where_all_of_the_interval_is_above(
    interval: tuple[float, float], verdict: str
) -> None:
    gap = Difference("a", "b", "here", "here", "knn", (0,), 0.01, interval)
    assert Verdict(Claim("by a point", "a", "b", by=1.0), gap).verdict == verdict


def test_intervals_stay_within_all_and_nothing() -> None:
    def interval(*rows: list[float]) -> tuple[float, float]:
        hits = {seed: torch.tensor(row, dtype=torch.float64) for seed, row in enumerate(rows)}
        return Found("a", "here", "here", "knn", hits, {}, {}).interval

    assert interval([1, 1, 1, 1], [1, 1, 1, 1]) == wilson(4, 4)
    assert interval([1, 1, 0, 1]) == wilson(3, 4)
    low, high = interval([1, 1, 1, 0], [1, 1, 1, 1])
    assert low < 0.875
    assert high == 1
    low, high = interval([0, 0, 0, 1], [0, 0, 0, 0])
    assert low == 0
    assert high > 0.125
    # Shares of draws are no counts.
    few = torch.tensor([[0.5, 0.25, 0.75, 0.5]], dtype=torch.float64)
    assert interval(few[0].tolist()) == nested_interval(few)


def test_nothing_done_is_no_result(tmp_path: Path) -> None:
    cell = Cell(ARMS[0], COLUMNS[0], 0, None, "", None)
    task = Task(cell, tmp_path, (Target.of(COLUMNS[0]),), PROTOCOLS, ProbeOptions())
    assert collect(EXPERIMENT, [task]) == Results(EXPERIMENT, {})
