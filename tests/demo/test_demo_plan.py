"""How much a demo trains in the time that it has."""

import dataclasses

import pytest

from squeezespan.demo.plan import Budget, Length, Speed, plan_lengths
from squeezespan.experiments.catalog.demo import DEMO

_STEPS_PER_EPOCH = 70
_METHODS = [arm.key for arm in DEMO.arms]
_BUDGET = Budget(
    left=270.0, speeds=dict.fromkeys(_METHODS, Speed(0.25)), row=8.0, check=1.5, end=15.0
)


def seconds_of(speed: Speed, length: Length, check: float) -> float:
    """What a method takes, but for its row."""
    checks = length.steps // (length.knn_every * _STEPS_PER_EPOCH) + 1
    return speed.before + length.steps * speed.step + checks * check


@pytest.mark.parametrize("seconds", [40.0, 100.0, 270.0, 3600.0])
def test_the_plan_fills_the_time_and_keeps_within_it(seconds: float) -> None:
    budget = dataclasses.replace(_BUDGET, left=seconds)
    lengths = plan_lengths(budget, _STEPS_PER_EPOCH)
    if lengths.too_slow:
        assert seconds < 60
        return
    trained = sum(
        seconds_of(budget.speeds[key], length, budget.check)
        for key, length in lengths.methods.items()
    )
    planned = trained + len(lengths.methods) * budget.row + budget.end
    assert 0.85 * seconds < planned <= seconds


def test_a_slow_machine_leaves_out_the_mixed_baseline_only() -> None:
    slow = dataclasses.replace(_BUDGET, speeds=dict.fromkeys(_METHODS, Speed(1.2)))
    lengths = plan_lengths(slow, _STEPS_PER_EPOCH)
    assert lengths.left_out == ("vicreg-mixed",)
    assert list(lengths.methods) == ["vicreg-real", "squeeze", "squeeze-span"]
    assert not plan_lengths(_BUDGET, _STEPS_PER_EPOCH).left_out


def test_no_time_at_all_is_said() -> None:
    lengths = plan_lengths(dataclasses.replace(_BUDGET, left=-3.0), _STEPS_PER_EPOCH)
    assert lengths.too_slow
    for length in lengths.methods.values():
        assert length.steps > 0
        assert length.knn_every > 0


def test_all_methods_get_equally_many_seconds_with_what_they_do_before() -> None:
    speeds = {**_BUDGET.speeds, "squeeze": Speed(0.5, before=4.0), "vicreg-real": Speed(0.1)}
    budget = dataclasses.replace(_BUDGET, speeds=speeds, check=0.1)
    lengths = plan_lengths(budget, _STEPS_PER_EPOCH)
    taken = [
        seconds_of(speeds[key], length, budget.check) for key, length in lengths.methods.items()
    ]
    assert taken == pytest.approx([taken[0]] * len(taken), abs=0.8)
    assert lengths.methods["squeeze"].steps < lengths.methods["vicreg-mixed"].steps / 2
