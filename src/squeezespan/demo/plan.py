"""From measured speeds to how much every method may train."""

from collections.abc import Mapping
from dataclasses import dataclass

from squeezespan.demo.rows import ROWS

__all__ = ["Budget", "Lengths", "plan_lengths"]

_MARGIN = 0.05
"""Share of the time that is kept for what no measurement foresees."""
_FEWEST_STEPS = 20
_CHECKS = 5
"""About how many checks on held-out images show how a run goes."""
_OPTIONAL = "vicreg-mixed"
_ENOUGH_STEPS = 60
"""Steps from which on the optional method is worth the time that it takes from the others."""


@dataclass(frozen=True)
class Budget:
    """The seconds that there are, and what they go to."""

    left: float
    """Until the demo should be done."""
    steps: Mapping[str, float]
    """Method to the seconds of one training step."""
    row: float
    """For each method, whatever its steps: opening the data, the test."""
    check: float
    """For one check on held-out images."""
    end: float
    """For the maps of the features and the page."""


@dataclass(frozen=True)
class Lengths:
    """How much is trained."""

    methods: tuple[str, ...]
    left_out: tuple[str, ...]
    steps: int
    knn_every: int
    """Epochs between checks."""
    too_slow: bool
    """Whether even the fewest steps take longer than asked for."""


def plan_lengths(budget: Budget, steps_per_epoch: int) -> Lengths:
    """Give every method equally many steps, so that all are done in time.

    VICReg on the mixture is left out where the others would be left with too few steps.

    Args:
        budget: what was measured.
        steps_per_epoch: of every method.
    """
    chosen = tuple(ROWS)
    steps = _steps(budget, chosen, steps_per_epoch)
    if steps < _ENOUGH_STEPS:
        chosen = tuple(key for key in ROWS if key != _OPTIONAL)
        steps = _steps(budget, chosen, steps_per_epoch)
    return Lengths(
        methods=chosen,
        left_out=tuple(key for key in ROWS if key not in chosen),
        steps=max(steps, _FEWEST_STEPS),
        knn_every=_knn_every(steps, steps_per_epoch),
        too_slow=steps < _FEWEST_STEPS,
    )


def _steps(budget: Budget, methods: tuple[str, ...], steps_per_epoch: int) -> int:
    seconds = budget.left * (1 - _MARGIN) - budget.end - len(methods) * budget.row
    per_step = sum(budget.steps[key] for key in methods)
    steps = int(seconds / per_step)
    every = _knn_every(steps, steps_per_epoch)
    checks = max(steps, 0) // (every * steps_per_epoch) + 1
    return int((seconds - len(methods) * checks * budget.check) / per_step)


def _knn_every(steps: int, steps_per_epoch: int) -> int:
    return max(round(steps / steps_per_epoch / _CHECKS), 1)
