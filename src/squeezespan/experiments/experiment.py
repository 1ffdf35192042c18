"""An experiment as data: what is trained, on what it is judged, and what it is to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from squeezespan.evaluation.options import Protocol

__all__ = [
    "Arm",
    "Budget",
    "Changes",
    "Claim",
    "Experiment",
    "Judges",
    "Scale",
    "TeacherClaim",
]

Changes = Mapping[str, Mapping[str, Any]]
"""Section of the settings to what differs there from a preset's."""

Scale = Literal["mini", "paper"]
"""Small settings for a CPU, or the paper's own."""

Budget = Literal["images", "passes", "time"]
"""What all arms get as much of: images, passes through the student, or seconds of training."""

Judges = Literal["test", "held-out", "others"]
"""On which images students are judged: the test split; the images held out of train, by which
settings are chosen; the test splits of the other data sets."""


@dataclass(frozen=True)
class Arm:
    """One row of a table: how a student is trained."""

    key: str
    """Names it in files."""
    title: str
    """Names it in tables."""
    mini: str
    """Preset at the scale `mini`."""
    paper: str
    """Preset at the scale `paper`, with `{data}` in the place of the data set's name."""
    changes: Changes = field(default_factory=dict)
    """What differs from the preset, at either scale."""
    mini_changes: Changes = field(default_factory=dict)
    """What differs besides at the scale `mini`."""
    steps: int | None = None
    """Length at the scale `mini`, where it is not the experiment's."""
    needs: tuple[str, ...] = ()
    """Blocks of the generator without which there is no such arm."""
    about: str = ""
    """One sentence for readers who don't know it."""
    real_teacher: Literal["discriminator", "discriminator-multi"] | None = None
    """Which features of the generator's discriminator teach, too, on real images."""
    direct: str | None = None
    """`discriminator` or `discriminator-multi`, where the generator's discriminator is judged
    itself, and nothing is trained; presets don't matter then."""

    def preset(self, scale: Scale, data: str) -> str:
        """Name the preset that the arm begins with."""
        return self.mini if scale == "mini" else self.paper.format(data=data)


@dataclass(frozen=True)
class Claim:
    """That one arm is better than another, by the experiment's first protocol."""

    text: str
    better: str
    """Key of an arm."""
    than: str
    """Key of an arm."""
    by: float = 0.0
    """Percentage points; negative where the claim is of being hardly worse."""


@dataclass(frozen=True)
class TeacherClaim:
    """That an arm is better with one generator than with another, by the first protocol.

    The two are columns of the same images under two names.
    """

    text: str
    arm: str
    """Its key."""
    paper: str
    """The paper's figures, in words."""
    better: str | None = None
    """Name of a column; None is the one whose generator has the best score."""
    than: str | None = None
    """Name of a column; None is the one whose generator has the worst score."""
    by: float = 0.0
    """Percentage points, as in `Claim`."""


@dataclass(frozen=True)
class Experiment:
    """A table: arms, each trained with several seeds on several data sets, judged alike."""

    name: str
    """What `squeezespan reproduce` takes."""
    title: str
    about: str
    """One or two sentences for readers: where it stands in the paper, and what it is to show."""
    arms: tuple[Arm, ...]
    protocols: tuple[Protocol, ...] = ("linear", "knn", "logistic")
    """The first is the one of claims and of the paper's numbers."""
    judges: Judges = "test"
    steps: int = 3500
    """Optimiser steps at the scale `mini`."""
    probe: Mapping[str, Any] = field(default_factory=lambda: {"copies": 5, "shots": 50, "draws": 3})
    """Settings of the protocols at the scale `mini`; the paper's at the scale `paper`."""
    claims: tuple[Claim, ...] = ()
    teacher_claims: tuple[TeacherClaim, ...] = ()
    """Where `by_teacher`."""
    paper: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Key of an arm to the paper's numbers, percent; by the data set that students are judged on,
    behind that of their training and an arrow where it is another (`cifar10>stl10`)."""
    budget: Budget = "images"
    """What all arms get as much of, unless a user wants something else."""
    by_teacher: bool = False
    """Whether the generators are scored and the figure is drawn over their scores."""
    scales: tuple[Scale, ...] = ("mini", "paper")
    paper_protocol: str = "linear probe, top-1"

    def arm(self, key: str) -> Arm:
        """Give the arm called `key`."""
        return next(arm for arm in self.arms if arm.key == key)
