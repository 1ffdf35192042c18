"""From measured speeds to how much every method may train."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Budget", "Length", "Lengths", "Speed", "plan_lengths"]

_MARGIN = 0.05
"""Share of the time that is kept for what no measurement foresees."""
_FEWEST_STEPS = 20
_CHECKS = 5
"""About how many checks on held-out images show how a run goes."""
_OPTIONAL = "vicreg-mixed"
_ENOUGH_STEPS = 60
"""Steps from which on the optional method is worth the time that it takes from the others."""


@dataclass(frozen=True)
class Speed:
    """What a method's training takes."""

    step: float
    """Seconds of one step."""
    before: float = 0.0
    """Seconds before the first step, in which the target is measured."""


@dataclass(frozen=True)
class Budget:
    """The seconds that there are, and what they go to."""

    left: float
    """Until the demo should be done."""
    speeds: Mapping[str, Speed]
    """Of every method, in the order of the table."""
    row: float
    """For each method, whatever its steps: opening the data, the test."""
    check: float
    """For one check on held-out images."""
    end: float
    """For the maps of the features and the page."""


@dataclass(frozen=True)
class Length:
    """How much one method trains."""

    steps: int
    knn_every: int
    """Epochs between checks."""


@dataclass(frozen=True)
class Lengths:
    """How much is trained."""

    methods: Mapping[str, Length]
    left_out: tuple[str, ...]
    too_slow: bool
    """Whether even the fewest steps take longer than asked for."""


def plan_lengths(budget: Budget, steps_per_epoch: int) -> Lengths:
    """Give every method equally many seconds of training, so that all are done in time.

    VICReg on the mixture is left out where the others would be left with too few steps.

    Args:
        budget: what was measured.
        steps_per_epoch: of every method.
    """
    chosen = list(budget.speeds)
    steps = _steps(budget, chosen, steps_per_epoch)
    if min(steps.values()) < _ENOUGH_STEPS:
        chosen = [key for key in budget.speeds if key != _OPTIONAL]
        steps = _steps(budget, chosen, steps_per_epoch)
    return Lengths(
        methods={
            key: Length(max(count, _FEWEST_STEPS), _knn_every(count, steps_per_epoch))
            for key, count in steps.items()
        },
        left_out=tuple(key for key in budget.speeds if key not in chosen),
        too_slow=min(steps.values()) < _FEWEST_STEPS,
    )


def _steps(budget: Budget, methods: Sequence[str], steps_per_epoch: int) -> dict[str, int]:
    each = (budget.left * (1 - _MARGIN) - budget.end) / len(methods) - budget.row
    return {key: _fitting(budget, budget.speeds[key], each, steps_per_epoch) for key in methods}


def _fitting(budget: Budget, speed: Speed, seconds: float, steps_per_epoch: int) -> int:
    """Give the steps, with their checks, that fit into some seconds."""
    seconds -= speed.before
    steps = int(seconds / speed.step)
    every = _knn_every(steps, steps_per_epoch)
    checks = max(steps, 0) // (every * steps_per_epoch) + 1
    return int((seconds - checks * budget.check) / speed.step)


def _knn_every(steps: int, steps_per_epoch: int) -> int:
    return max(round(steps / steps_per_epoch / _CHECKS), 1)
