"""Learning rates of GAN training."""

import pytest
import torch

from squeezespan.gan.config import GanRunConfig
from squeezespan.gan.optimizers import FallingRates, adam, lazy_ratio, step_along


def test_rates_halve_after_the_images_that_they_are_to_halve_after() -> None:
    train = GanRunConfig(batch_size=50, decay_kimg=2.0, decay_after_kimg=1.0)
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizers = [adam([weight], rate, 1.0) for rate in (0.1, 0.04)]
    rates = FallingRates(train, optimizers)
    for step, factor in ((0, 1.0), (20, 1.0), (40, 0.5**0.5), (60, 0.5), (100, 0.25)):
        rates.set(step)
        found = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
        assert found == pytest.approx([0.1 * factor, 0.04 * factor], rel=1e-9)
        # A checkpoint brings its own.
        for optimizer in optimizers:
            optimizer.load_state_dict(optimizer.state_dict())


def test_rates_stay_where_nothing_else_is_asked_for() -> None:
    optimizer = adam([torch.nn.Parameter(torch.zeros(2))], 0.1, lazy_ratio(4))
    FallingRates(GanRunConfig(), [optimizer]).set(10**6)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.08)
    assert optimizer.param_groups[0]["betas"] == (0.0, pytest.approx(0.99**0.8))
    assert optimizer.param_groups[0]["eps"] == 1e-8


def test_gradients_that_overflow_move_weights_far_and_those_that_are_no_numbers_do_not() -> None:
    weight = torch.nn.Parameter(torch.zeros(4))
    weight.grad = torch.tensor([float("inf"), float("-inf"), float("nan"), 2.0])
    step_along(torch.optim.SGD([weight], lr=1.0), [weight.grad])
    assert weight.tolist() == [-1e5, 1e5, 0.0, -2.0]
    assert weight.grad is None
