"""What held-out images decide, and how long trainings are, without training anything."""

from typing import Any

import pytest
import torch

from squeezespan.finetuning.choice import choose_rate
from squeezespan.finetuning.config import FinetuneConfig, FinetuneTrainConfig, TuningConfig
from squeezespan.finetuning.plan import plan_finetuning


def outcome(rate: float, won: int, lost: int, **changes: float) -> dict[str, float]:
    usual = {"images": 20, "loss": 1.0, "probe_loss": 1.0}
    return {"rate": rate, "won": won, "lost": lost, **usual, **changes}


def test_the_rate_with_the_most_hits_over_all_divisions_wins() -> None:
    found = [outcome(1e-3, 5, 0), outcome(1e-2, 3, 0), outcome(1e-3, 0, 3), outcome(1e-2, 1, 0)]
    choice = choose_rate(found)
    assert choice.rate == 1e-2
    assert "on 40 held-out images" in choice.why
    assert "4 of the probe's mistakes into hits and 0 of its hits" in choice.why


@pytest.mark.parametrize(
    ("won", "lost", "loss", "changes"),
    [(2, 1, 9.0, True), (1, 2, 0.1, False), (1, 1, 0.9, True), (1, 1, 1.1, False)],
)
def test_the_network_changes_only_where_it_does_better_than_the_probe(
    won: int, lost: int, loss: float, changes: bool
) -> None:
    choice = choose_rate([outcome(1e-3, won, lost, loss=loss)])
    assert (choice.rate == 1e-3) == changes
    assert ("stays as it is" in choice.why) != changes


def test_of_equally_good_rates_that_with_the_lower_loss_is_taken() -> None:
    found = [outcome(1e-3, 2, 1, loss=0.9), outcome(1e-2, 3, 2, loss=0.8)]
    assert choose_rate(found).rate == 1e-2


def config(**tuning: Any) -> FinetuneConfig:
    return FinetuneConfig("run", "data", "all", FinetuneTrainConfig(), TuningConfig(**tuning))


@pytest.mark.parametrize(
    ("per_class", "epochs", "divisions"),
    [(1, 30, 0), (2, 30, 3), (10, 30, 3), (100, 9, 1), (1000, 8, 1), (10_000, 8, 1)],
)
def test_the_schedule_from_one_image_a_class_to_ten_thousand(
    per_class: int, epochs: int, divisions: int
) -> None:
    labels = torch.arange(10).repeat_interleave(per_class)
    plan = plan_finetuning(config(), labels)
    assert len(plan.choosing) == 2 * divisions
    last = plan.final[3e-4]
    assert last.epochs == epochs
    assert last.batch_size <= 64
    # Hardly an image of a pass is left over.
    assert last.steps_per_epoch * last.batch_size > 0.9 * len(labels)
    for trial in plan.choosing:
        assert not set(trial.learnt.tolist()) & set(trial.held_out.tolist())
        assert set(labels[trial.held_out].tolist()) == set(range(10))
        assert 0 < len(trial.held_out) <= 2000
        assert len(trial.learnt) <= 5000
    # However many images there are, what chooses costs at most six times what is trained.
    assert plan.choosing_steps <= 6 * last.steps
    assert plan.steps == plan.choosing_steps + last.steps


def test_a_single_rate_is_taken_as_it_is() -> None:
    plan = plan_finetuning(config(learning_rates=(1e-3,)), torch.arange(4).repeat(9))
    assert not plan.choosing
    assert list(plan.final) == [1e-3]
