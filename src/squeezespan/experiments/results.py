"""What the cells of an experiment say together: accuracies, differences and verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from squeezespan.evaluation.hits import unpack_hits
from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.options import Protocol
from squeezespan.evaluation.paired import nested_interval
from squeezespan.experiments.evaluations import read_evaluations
from squeezespan.experiments.experiment import Claim, Experiment, TeacherClaim
from squeezespan.experiments.runner import EVALUATIONS, Task, summary
from squeezespan.experiments.teachers import TeacherScore

__all__ = ["Difference", "Found", "Results", "Verdict", "collect", "difference", "verdicts"]

OVER_IMAGES = "over images, one seed"
OVER_BOTH = "over seeds and images"


@dataclass(frozen=True)
class Found:
    """The accuracy of an arm that was trained on one data set and judged on one."""

    arm: str
    column: str
    target: str
    protocol: Protocol
    hits: Mapping[int, Tensor]
    """Seed to the share of draws that classify each test image correctly, float64 [M]; there is
    one draw but for few labels."""
    trainings: Mapping[int, Mapping[str, Any]]
    """Seed to `cell.json`."""
    evaluations: Mapping[int, Mapping[str, Any]]
    """Seed to the evaluation."""

    @property
    def seeds(self) -> list[int]:
        """That are done."""
        return sorted(self.hits)

    @property
    def accuracy(self) -> float:
        """Mean over the seeds, 0 to 1."""
        return _stack(self.hits, self.seeds).mean().item()

    @property
    def interval(self) -> tuple[float, float]:
        """95%: Wilson's for one seed and draw, else by `nested_interval`."""
        values = _stack(self.hits, self.seeds)
        if len(values) == 1 and bool(((values == 0) | (values == 1)).all()):
            return wilson(int(values.sum()), values.shape[1])
        low, high = nested_interval(values)
        if low == high:
            # Every seed the same on every image.
            return wilson(int(values[0].sum()), values.shape[1])
        return max(low, 0.0), min(high, 1.0)

    @property
    def interval_kind(self) -> str:
        """What the interval is for."""
        return OVER_IMAGES if len(self.hits) == 1 else OVER_BOTH


@dataclass(frozen=True)
class Difference:
    """One arm less another, image by image, over the seeds that both have."""

    better: str
    than: str
    column: str
    target: str
    protocol: Protocol
    seeds: tuple[int, ...]
    difference: float
    interval: tuple[float, float]
    """95%, for the choice of test images and, of several seeds, for that of seeds."""

    @property
    def interval_kind(self) -> str:
        """What the interval is for."""
        return OVER_IMAGES if len(self.seeds) == 1 else OVER_BOTH


@dataclass(frozen=True)
class Verdict:
    """What came out of a claim on one data set, or between two generators."""

    claim: Claim | TeacherClaim
    difference: Difference | None
    """None where an arm or a generator is missing."""

    @property
    def verdict(self) -> Literal["held", "not held", "undecided", "not measured"]:
        """Whether the interval of the difference lies above, below or across what is claimed."""
        if self.difference is None:
            return "not measured"
        low, high = self.difference.interval
        bar = self.claim.by / 100
        return "held" if low > bar else "not held" if high < bar else "undecided"


@dataclass(frozen=True)
class Results:
    """Everything that is known of an experiment."""

    experiment: Experiment
    found: Mapping[tuple[str, str, str, Protocol], Found]
    """By arm, data set of training, data set of judging, and protocol."""
    teachers: Mapping[str, TeacherScore] = field(default_factory=dict)
    """Data set to the score of its generator; empty where they were not asked for."""

    def get(self, arm: str, column: str, target: str, protocol: Protocol) -> Found | None:
        """Give what is known of an arm; None where nothing is."""
        return self.found.get((arm, column, target, protocol))

    def curves(self) -> list[dict[str, Any]]:
        """Give the checks on held-out images of every training, in the order of the arms."""
        order = {arm.key: number for number, arm in enumerate(self.experiment.arms)}
        trainings = {
            (order[found.arm], found.arm, found.column, seed): training
            for found in self.found.values()
            for seed, training in found.trainings.items()
        }
        return [
            {"arm": arm, "trained_on": column, "seed": seed, **point}
            for place, arm, column, seed in sorted(trainings)
            for point in trainings[place, arm, column, seed]["curve"]
        ]

    def places(self) -> list[tuple[str, str]]:
        """Give the pairs of data sets, of training and of judging, that there is anything on."""
        return list(dict.fromkeys((found.column, found.target) for found in self.found.values()))


def collect(
    experiment: Experiment,
    tasks: Sequence[Task],
    teachers: Mapping[str, TeacherScore] | None = None,
) -> Results:
    """Read what is done of the cells.

    Args:
        experiment: that they belong to.
        tasks: all of its cells.
        teachers: scores of the generators, if they were asked for.
    """
    gathered: dict[tuple[str, str, str, Protocol], list[tuple[int, Any, Any]]] = {}
    for task in tasks:
        training = summary(task)
        if training is None:
            continue
        place = task.folder / EVALUATIONS
        for target in task.targets:
            judged = read_evaluations(place, target, task.protocols, task.options)
            for protocol, evaluation in judged.items():
                key = (task.cell.arm.key, task.cell.column.name, target.name, protocol)
                gathered.setdefault(key, []).append((task.cell.seed, training, evaluation))
    return Results(
        experiment,
        {
            key: Found(
                *key,
                hits={seed: _hits(evaluation) for seed, _, evaluation in cells},
                trainings={seed: training for seed, training, _ in cells},
                evaluations={seed: evaluation for seed, _, evaluation in cells},
            )
            for key, cells in gathered.items()
        },
        teachers or {},
    )


def difference(
    results: Results, better: str, than: str, place: tuple[str, str], protocol: Protocol
) -> Difference | None:
    """Compare two arms over the seeds that both have; None where there are none.

    Args:
        results: of the experiment.
        better: key of an arm.
        than: key of another.
        place: data sets of training and of judging.
        protocol: by which both were judged.
    """
    one, other = (results.get(arm, *place, protocol) for arm in (better, than))
    return _between(one, other, place)


def verdicts(results: Results) -> Iterator[tuple[tuple[str, str], Verdict]]:
    """Judge every claim by the experiment's first protocol.

    Returns:
        Each on every data set, with those of training and of judging; claims of generators once,
        with `BETTER over THAN` in the place of both.
    """
    experiment = results.experiment
    protocol = experiment.protocols[0]
    for place in results.places():
        for claim in experiment.claims:
            found = difference(results, claim.better, claim.than, place, protocol)
            yield place, Verdict(claim, found)
    for asked in experiment.teacher_claims:
        ranked = sorted(results.teachers, key=lambda name: results.teachers[name].frechet)
        ends = asked.better or ranked[0], asked.than or ranked[-1]
        name = " over ".join(ends)
        one, other = (results.get(asked.arm, end, end, protocol) for end in ends)
        found = _between(one, other, (name, name)) if _same_images(one, other) else None
        yield (name, name), Verdict(asked, found)


def _same_images(one: Found | None, other: Found | None) -> bool:
    """Tell whether two columns that aren't the same have the same images under two names."""
    if one is None or other is None or one.column == other.column:
        return False
    specs = {
        evaluation["data"] for found in (one, other) for evaluation in found.evaluations.values()
    }
    return len(specs) == 1


def _between(one: Found | None, other: Found | None, place: tuple[str, str]) -> Difference | None:
    """Compare image by image, over the seeds that both have; None where there are none."""
    if one is None or other is None:
        return None
    seeds = sorted(one.hits.keys() & other.hits.keys())
    if not seeds:
        return None
    gaps = _stack(one.hits, seeds) - _stack(other.hits, seeds)
    return Difference(
        one.arm,
        other.arm,
        *place,
        one.protocol,
        tuple(seeds),
        gaps.mean().item(),
        nested_interval(gaps),
    )


def _hits(evaluation: Mapping[str, Any]) -> Tensor:
    packed = evaluation["hits"]
    texts = packed if isinstance(packed, list) else [packed]
    rows = [unpack_hits(text, evaluation["n_test"]) for text in texts]
    return torch.stack(rows).double().mean(dim=0)


def _stack(hits: Mapping[int, Tensor], seeds: Sequence[int]) -> Tensor:
    return torch.stack([hits[seed] for seed in seeds])
