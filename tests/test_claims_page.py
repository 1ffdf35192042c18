"""The page of the paper's claims is made of what lies in results/, and says what isn't there."""

import csv
import json
from pathlib import Path
from typing import Any

import torch
from paper_claims import HEADING, UNMEASURED, Line, lines

from squeezespan.experiments.asked import Asked
from squeezespan.experiments.catalog import find_experiment
from squeezespan.experiments.reproduce import Plan, _as_json
from squeezespan.experiments.results import Found, Results

RESULTS = Path(__file__).parents[1] / "results"
VERDICTS = {"held", "not held", "undecided", UNMEASURED}


def of(found: list[Line], where: str, claim: str) -> list[Line]:
    return [line for line in found if (line.where, line.claim) == (where, claim)]


def write_runs(results: Path, accuracies: dict[str, float], half: float = 0.01) -> None:
    place = results / "mini-cifar10" / "accuracies.csv"
    place.parent.mkdir(parents=True)
    with place.open("w", newline="") as stream:
        names = ("run", "protocol", "accuracy", "interval_low", "interval_high")
        writer = csv.writer(stream)
        writer.writerow(names)
        for run, accuracy in accuracies.items():
            writer.writerow((run, "knn", 0.1, 0.0, 0.2))
            writer.writerow((run, "linear", accuracy, accuracy - half, accuracy + half))


def write_table(folder: Path, name: str, claims: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    table = {"experiment": name, "scale": "mini", "claims": claims}
    (folder / "table.json").write_text(json.dumps(table), encoding="utf-8")


def test_without_results_everything_is_unmeasured(tmp_path: Path) -> None:
    found = lines(tmp_path)
    assert {line.verdict for line in found} == {UNMEASURED}
    assert {line.file for line in found} == {""}
    assert len(found) > 20
    # The paper's own margin, from its numbers: 92.54 less 90.46, and so on.
    (line,) = of(found, "table2", "Squeeze and Span is above VICReg on both")
    assert line.paper == "cifar10 +2.08, cifar100 +2.65, stl10 +1.78"
    # What the paper has no numbers of is no claim of it.
    ours = "The standardized target is above the squeeze module"
    assert ours in {claim.text for claim in find_experiment("table2").claims}
    assert not of(found, "table2", ours)


def test_single_runs_are_compared_by_both_their_intervals(tmp_path: Path) -> None:
    runs = {
        "squeeze-span-0": 0.66,
        "squeeze-0": 0.62,
        "vicreg-real-0": 0.69,
        "vicreg-mixed-0": 0.65,
    }
    write_runs(tmp_path, runs)
    found = lines(tmp_path)
    (adds,) = of(found, "table2", "Span adds to Squeeze")
    # 0.01 and 0.01 of two independent figures are 0.0141 of their difference.
    assert adds.ours == "+4.0 (+2.6 to +5.4) points, CIFAR-10 (JPEG), small, one seed"
    assert (adds.verdict, adds.file) == ("held", "mini-cifar10/accuracies.csv")
    (real,) = of(found, "table2", "Squeeze and Span is above VICReg on real images")
    assert real.verdict == "not held"
    (both,) = of(found, "table2", "Squeeze and Span is above VICReg on both")
    assert both.verdict == "undecided"
    (synthetic,) = of(found, "table2", "Squeeze is above VICReg on synthetic images")
    assert synthetic.verdict == UNMEASURED
    # Judged on other data sets, which these runs weren't.
    (other,) = of(found, "table5", "Squeeze and Span is above VICReg")
    assert other.verdict == UNMEASURED


def test_a_reproduced_table_takes_the_place_of_single_runs(tmp_path: Path) -> None:
    write_runs(tmp_path, {"squeeze-span-0": 0.66, "squeeze-0": 0.62})
    said = {"claim": "Span adds to Squeeze", "trained_on": "cifar10", "judged_on": "cifar10"}
    measured = said | {"verdict": "not held", "difference": -0.02, "interval": [-0.03, -0.01]}
    elsewhere = said | {"verdict": "not measured", "difference": None, "interval": None}
    write_table(tmp_path / "mini" / "table2", "table2", [measured, elsewhere])
    write_table(tmp_path / "mini" / "cells" / "x", "table2", [measured])
    (line,) = of(lines(tmp_path), "table2", "Span adds to Squeeze")
    assert line.ours == "-2.0 (-3.0 to -1.0) points, cifar10, --scale mini"
    assert (line.verdict, line.file) == ("not held", "mini/table2/table.json")


def test_what_a_better_generator_is_worth_has_claims_of_its_own(tmp_path: Path) -> None:
    better = "A better generator makes a better student"
    for folder, accuracy in (("half", 0.64), ("first-gan", 0.60)):
        write_runs(tmp_path / folder, {"squeeze-span-0": accuracy})
        place = tmp_path / folder / "mini-cifar10"
        place.rename(tmp_path / "there")
        (tmp_path / "mini-cifar10").mkdir(exist_ok=True)
        (tmp_path / "there").rename(tmp_path / "mini-cifar10" / folder)
    (line,) = of(lines(tmp_path), "fig4", better)
    assert line.ours == "+4.0 (+2.6 to +5.4) points, CIFAR-10 (JPEG), small, one seed"
    said = {"claim": better, "trained_on": "old over young", "judged_on": "old over young"}
    measured = said | {"verdict": "held", "difference": 0.05, "interval": [0.04, 0.06]}
    write_table(tmp_path / "mini" / "fig4", "fig4", [measured])
    (line,) = of(lines(tmp_path), "fig4", better)
    assert line.ours == "+5.0 (+4.0 to +6.0) points, old over young, --scale mini"
    # Two between generators, and that other architectures teach, too.
    assert len([line for line in lines(tmp_path) if line.where == "table7"]) == 3


def test_a_table_of_reproduce_is_understood(tmp_path: Path) -> None:
    """The names that `reproduce` writes are those that are read here."""
    experiment = find_experiment("table2")
    right = {"squeeze-span": torch.ones(50), "squeeze": torch.zeros(50)}
    places = {key: (key, "cifar10", "cifar10", experiment.protocols[0]) for key in right}
    found = {
        places[key]: Found(*places[key], hits={0: hits.double()}, trainings={}, evaluations={})
        for key, hits in right.items()
    }
    plan = Plan(experiment, Asked(), tmp_path, (), ())
    table = dict(_as_json(plan, Results(experiment, found), [], []))
    (tmp_path / "table.json").write_text(json.dumps(table), encoding="utf-8")
    (line,) = of(lines(tmp_path), "table2", "Span adds to Squeeze")
    assert line.ours.startswith("+100.0 (+")
    assert (line.verdict, line.file) == ("held", "table.json")
    (other,) = of(lines(tmp_path), "table2", "Squeeze and Span is above VICReg on both")
    assert other.verdict == UNMEASURED


def test_every_line_of_the_page_stands_on_a_file_or_says_unmeasured() -> None:
    found = lines()
    assert len(HEADING) == 6
    assert HEADING[:3] == ("claim", "verdict", "ours")  # what a phone shows
    for line in found:
        assert line.verdict in VERDICTS
        assert (line.verdict == UNMEASURED) == (not line.file)
        for file in filter(None, line.file.split(", ")):
            assert (RESULTS / file).is_file(), file
    (generator,) = of(
        found, "Fig. 1 of the appendix", "Most pairs of a generator's layers are below 0.8 in CKA"
    )
    assert generator.verdict == "held"
