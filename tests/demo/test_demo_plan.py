"""How much a demo trains in the time that it has."""

import dataclasses

import pytest

from squeezespan.demo.plan import Budget, plan_lengths
from squeezespan.demo.rows import ROWS

_STEPS_PER_EPOCH = 70
_BUDGET = Budget(left=270.0, steps=dict.fromkeys(ROWS, 0.25), row=8.0, check=1.5, end=15.0)


def expected_seconds(budget: Budget, methods: tuple[str, ...], steps: int, every: int) -> float:
    checks = steps // (every * _STEPS_PER_EPOCH) + 1
    training = steps * sum(budget.steps[key] for key in methods)
    return training + len(methods) * (budget.row + checks * budget.check) + budget.end


@pytest.mark.parametrize("seconds", [40.0, 100.0, 270.0, 3600.0])
def test_the_plan_fills_the_time_and_keeps_within_it(seconds: float) -> None:
    budget = dataclasses.replace(_BUDGET, left=seconds)
    lengths = plan_lengths(budget, _STEPS_PER_EPOCH)
    if lengths.too_slow:
        assert seconds < 60
        return
    planned = expected_seconds(budget, lengths.methods, lengths.steps, lengths.knn_every)
    assert 0.85 * seconds < planned <= seconds


def test_a_slow_machine_leaves_out_the_mixed_baseline_only() -> None:
    slow = dataclasses.replace(_BUDGET, steps=dict.fromkeys(ROWS, 1.2))
    lengths = plan_lengths(slow, _STEPS_PER_EPOCH)
    assert lengths.left_out == ("vicreg-mixed",)
    assert lengths.methods == ("vicreg-real", "squeeze", "squeeze-span")
    assert not plan_lengths(_BUDGET, _STEPS_PER_EPOCH).left_out


def test_no_time_at_all_is_said() -> None:
    lengths = plan_lengths(dataclasses.replace(_BUDGET, left=-3.0), _STEPS_PER_EPOCH)
    assert lengths.too_slow
    assert lengths.steps > 0
    assert lengths.knn_every > 0


def test_a_dear_method_costs_all_of_them_equally_many_steps() -> None:
    dear = dataclasses.replace(_BUDGET, steps={**_BUDGET.steps, "squeeze": 0.5})
    cheap, fewer = (plan_lengths(budget, _STEPS_PER_EPOCH) for budget in (_BUDGET, dear))
    assert fewer.methods == cheap.methods
    assert fewer.steps == pytest.approx(cheap.steps * 1.0 / 1.25, rel=0.05)
