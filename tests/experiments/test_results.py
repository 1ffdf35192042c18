"""Accuracies, differences and verdicts from the hits of a few seeds."""

import csv
import io
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.options import Protocol
from squeezespan.experiments.experiment import Arm, Claim, Experiment, TeacherClaim
from squeezespan.experiments.results import Found, Results, difference, verdicts
from squeezespan.experiments.table import as_latex, as_markdown, differences_csv
from squeezespan.experiments.teachers import TeacherScore

PLACE = ("cifar10", "cifar10")


def arm(key: str) -> Arm:
    return Arm(key, key.capitalize(), "", "")


def found(key: str, *rates: float, images: int = 2000) -> Found:
    """An arm that gets each image right with a rate, by seed; seeds share hard images."""
    hits: dict[int, Tensor] = {}
    hardness = torch.rand(images, generator=torch.Generator().manual_seed(0))
    for seed, rate in enumerate(rates):
        noise = 0.1 * torch.randn(images, generator=torch.Generator().manual_seed(seed + 1))
        hits[seed] = (hardness + noise < rate).double()
    training = {"steps": 7, "images": 70, "passes": 70}
    protocol: Protocol = "linear"
    seeds = range(len(rates))
    return Found(key, *PLACE, protocol, hits, dict.fromkeys(seeds, training), {})


def results(*founds: Found, claims: tuple[Claim, ...] = ()) -> Results:
    experiment = Experiment(
        "t", "A table", "About.", tuple(arm(one.arm) for one in founds), ("linear",),
        claims=claims, paper={"ours": {"cifar10": 92.54}},
    )  # fmt: skip
    return Results(experiment, {(one.arm, *PLACE, "linear"): one for one in founds})


def test_one_seed_has_an_interval_over_images() -> None:
    one = found("ours", 0.7)
    assert one.interval == wilson(int(one.hits[0].sum()), 2000)
    assert one.interval_kind == "over images, one seed"


def test_seeds_that_differ_widen_the_interval() -> None:
    alike, apart = found("ours", 0.7, 0.7, 0.7), found("ours", 0.6, 0.7, 0.8)
    widths = [high - low for low, high in (alike.interval, apart.interval)]
    assert widths[1] > 3 * widths[0]
    assert alike.interval_kind == "over seeds and images"


def test_differences_are_paired_over_the_seeds_that_both_have() -> None:
    both = results(found("ours", 0.70, 0.72), found("theirs", 0.65))
    gap = difference(both, "ours", "theirs", PLACE, "linear")
    assert gap is not None
    assert gap.seeds == (0,)
    hits = (
        both.found["ours", *PLACE, "linear"].hits[0]
        - both.found["theirs", *PLACE, "linear"].hits[0]
    )
    assert gap.difference == pytest.approx(hits.mean().item())
    low, high = gap.interval
    assert low < gap.difference < high < gap.difference + 0.03


def test_a_claim_is_held_not_held_undecided_or_not_measured() -> None:
    claims = (
        Claim("clear", "ours", "theirs"),
        Claim("turned round", "theirs", "ours"),
        Claim("too much", "ours", "theirs", by=30.0),
        Claim("close", "ours", "twin"),
        Claim("absent", "ours", "nobody"),
    )
    known = results(found("ours", 0.7), found("theirs", 0.5), found("twin", 0.7), claims=claims)
    said = [verdict.verdict for _, verdict in verdicts(known)]
    assert said == ["held", "not held", "not held", "undecided", "not measured"]


def test_generators_are_compared_by_their_students() -> None:
    rates = {"young": 0.5, "old": 0.7, "elsewhere": 0.9}
    ours = {}
    for name, rate in rates.items():
        data = {"data": "folder:b" if name == "elsewhere" else "folder:a"}
        one = replace(found("ours", rate), column=name, target=name, evaluations={0: data})
        ours["ours", name, name, one.protocol] = one
    claims = (
        TeacherClaim("ranked", "ours", ""),
        TeacherClaim("named", "ours", "", better="young", than="old"),
        TeacherClaim("too much", "ours", "", better="old", than="young", by=30.0),
        TeacherClaim("other images", "ours", "", better="elsewhere", than="old"),
        TeacherClaim("with itself", "ours", "", better="old"),
        TeacherClaim("absent", "ours", "", better="biggan"),
    )
    experiment = Experiment("t", "T", "", (arm("ours"),), ("linear",), teacher_claims=claims)
    ranks = {"young": 9, "between": 20, "old": 40}
    scores = {name: TeacherScore(score, 0, 1, 1, 9) for name, score in ranks.items()}
    said = list(verdicts(Results(experiment, ours, scores)))
    assert [verdict.verdict for _, verdict in said] == [
        "not held", "not held", "not held", "not measured", "not measured", "not measured",
    ]  # fmt: skip
    # The best by its score, whatever its student is.
    assert said[0][0] == ("young over old",) * 2
    assert said[0][1].difference is not None
    gaps = (
        ours["ours", "young", "young", "linear"].hits[0]
        - ours["ours", "old", "old", "linear"].hits[0]
    )
    assert said[0][1].difference.difference == pytest.approx(gaps.mean().item())
    turned = Results(experiment, ours, scores | {"young": scores["old"], "old": scores["young"]})
    assert next(verdicts(turned))[1].verdict == "held"
    assert "| ranked | old over young | +" in as_markdown(turned)


def test_the_table_has_ours_beside_the_papers() -> None:
    text = as_markdown(results(found("ours", 0.7), found("theirs", 0.5)))
    assert "| method | cifar10 | paper, cifar10 |" in text
    row = next(line for line in text.splitlines() if line.startswith("| Ours"))
    assert row.endswith("| 92.54 |")
    assert next(line for line in text.splitlines() if line.startswith("| Theirs")).endswith("| - |")


def test_latex_is_escaped_and_complete() -> None:
    text = as_latex(results(found("a_b", 0.7)))
    assert "A\\_b & 7" in text
    assert text.count("{tabular}") == 2


def test_differences_of_all_pairs() -> None:
    three = results(found("ours", 0.7), found("theirs", 0.5), found("twin", 0.7))
    rows = list(csv.DictReader(io.StringIO(differences_csv(three))))
    assert [(row["arm"], row["against"]) for row in rows] == [
        ("ours", "theirs"),
        ("ours", "twin"),
        ("theirs", "twin"),
    ]
