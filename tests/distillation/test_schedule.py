"""Length of a run, make-up of its batches and its learning rate."""

import math
from dataclasses import replace

import pytest

from squeezespan.config import DistillConfig, MethodConfig, OptimConfig, TrainConfig
from squeezespan.distillation.schedule import Plan, learning_rate, plan_run, run_pace
from squeezespan.errors import UserError
from squeezespan.runs.trainer import Pace

CIFAR = Plan(50_000, steps_per_epoch=97, steps=800 * 97, synthetic_batch=256, real_batch=256)


def config(batch: int, alpha: float = 0.5, epochs: int = 10, **optim: int) -> DistillConfig:
    return DistillConfig(
        train=TrainConfig(epochs=epochs, batch_size=batch),
        method=MethodConfig(alpha=alpha),
        optim=OptimConfig(**optim),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_an_epoch_is_the_real_set_over_the_batch_whatever_is_in_it(alpha: float) -> None:
    plan = plan_run(config(512, alpha), 50_000)
    assert (plan.steps_per_epoch, plan.steps) == (97, 970)
    assert (plan.synthetic_batch, plan.real_batch) == (512 * alpha, 512 - 512 * alpha)
    assert plan.images == 970 * 512


def test_two_images_of_a_stream_are_enough_for_each_process() -> None:
    assert plan_run(config(6), 100) == Plan(100, 16, 160, synthetic_batch=3, real_batch=3)
    assert plan_run(config(16, accumulate=2), 100, 2) == Plan(100, 6, 60, 8, 8)


def test_a_run_is_as_long_and_logged_as_often_as_its_settings_say() -> None:
    settings = config(512)
    settings = replace(
        settings,
        train=replace(settings.train, checkpoint_minutes=7.5),
        monitor=replace(settings.monitor, log_every=11),
    )
    pace = run_pace(settings, plan_run(settings, 50_000))
    assert pace == Pace(steps=970, batch_size=512, log_every=11, checkpoint_minutes=7.5)


def test_max_steps_ends_the_run_early() -> None:
    short = config(512)
    short = replace(short, train=replace(short.train, max_steps=100))
    plan = plan_run(short, 50_000)
    assert plan.steps == 100
    assert plan.epochs == pytest.approx(100 / 97)


@pytest.mark.parametrize(
    ("batch", "alpha", "processes", "accumulate", "message"),
    [
        (10, 0.5, 2, 1, "5 synthetic images.*2 processes"),
        (12, 0.5, 1, 4, "6 synthetic images.*optim.accumulate 4"),
        (64, 0.01, 1, 1, "fewer than 2 synthetic"),
        (64, 0.99, 1, 1, "fewer than 2 real"),
        (64, 0.001, 1, 1, "fewer than 2 synthetic images to each.*; choose a larger batch$"),
        (60_000, 0.5, 1, 1, "batch-size is 60000.*only 50000 images"),
    ],
)
def test_impossible_batches_are_refused(
    batch: int, alpha: float, processes: int, accumulate: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan_run(config(batch, alpha, accumulate=accumulate), 50_000, processes)


def test_an_unbiased_covariance_needs_four_images_in_a_loss() -> None:
    def unbiased(batch: int, **optim: int) -> DistillConfig:
        settings = config(batch, **optim)
        method = replace(settings.method, covariance_estimate="unbiased")
        return replace(settings, method=method)

    assert plan_run(unbiased(8), 100, 2).synthetic_batch == 4
    with pytest.raises(
        UserError, match=r"batch-size 8 leaves 2 synthetic images to a loss.*needs 4"
    ):
        plan_run(unbiased(8, accumulate=2), 100)
    # A stream that the method doesn't have needs none.
    for alpha in (0.0, 1.0):
        one = unbiased(8)
        one = replace(one, method=replace(one.method, alpha=alpha))
        assert plan_run(one, 100).steps_per_epoch == 12


def test_the_cosine_moves_once_an_epoch_from_the_scaled_peak_towards_zero() -> None:
    optim = OptimConfig(base_lr=0.03)
    rates = [learning_rate(step, CIFAR, optim, 512) for step in range(0, CIFAR.steps, 97)]
    expected = [0.06 * (1 + math.cos(math.pi * epoch / 800)) / 2 for epoch in range(800)]
    assert rates == pytest.approx(expected)
    assert learning_rate(96, CIFAR, optim, 512) == rates[0]
    assert learning_rate(97, CIFAR, optim, 512) == rates[1] < rates[0]


def test_the_cosine_can_move_every_step() -> None:
    optim = OptimConfig(base_lr=0.03, schedule="step")
    half = CIFAR.steps // 2
    assert learning_rate(half, CIFAR, optim, 256) == pytest.approx(0.015)
    assert 0 < learning_rate(CIFAR.steps - 1, CIFAR, optim, 256) < 1e-8


@pytest.mark.parametrize("schedule", ["epoch", "step"])
def test_warm_up_rises_to_the_peak_before_the_cosine(schedule: str) -> None:
    optim = OptimConfig(base_lr=0.03, warmup_epochs=10, schedule=schedule)  # type: ignore[arg-type]
    rates = [learning_rate(step, CIFAR, optim, 256) for step in range(12 * 97)]
    rising = rates[: 10 * 97]
    assert rising == sorted(rising)
    assert rising[0] == pytest.approx(0.03 / 970)
    assert rising[-1] == rates[970] == pytest.approx(0.03)
    assert rates[-1] < 0.03


@pytest.mark.parametrize(
    ("warmup", "first_epoch", "first_step"), [(10.0, 10, 970), (1.5, 1, 146), (0.0, 0, 0)]
)
def test_the_cosine_spans_what_the_warm_up_leaves(
    warmup: float, first_epoch: int, first_step: int
) -> None:
    for step in (first_step, 5 * 97 + 970, CIFAR.steps - 1):
        by_epoch = OptimConfig(base_lr=0.03, warmup_epochs=warmup)
        share = (step // 97 - first_epoch) / (800 - first_epoch)
        expected = 0.03 * math.cos(math.pi * share / 2) ** 2
        assert learning_rate(step, CIFAR, by_epoch, 256) == pytest.approx(expected)
        by_step = replace(by_epoch, schedule="step")
        share = (step - first_step) / (CIFAR.steps - first_step)
        expected = 0.03 * math.cos(math.pi * share / 2) ** 2
        assert learning_rate(step, CIFAR, by_step, 256) == pytest.approx(expected, rel=1e-4)


def test_a_run_shorter_than_its_warm_up_only_rises() -> None:
    plan = Plan(1000, steps_per_epoch=10, steps=15, synthetic_batch=50, real_batch=50)
    optim = OptimConfig(base_lr=0.03, warmup_epochs=5)
    rates = [learning_rate(step, plan, optim, 256) for step in range(15)]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(0.03)
