"""GAN losses against closed forms."""

import math

import pytest
import torch

from squeezespan.losses.gan import (
    discriminator_logistic,
    discriminator_relativistic,
    generator_nonsaturating,
    generator_relativistic,
    path_lengths,
    r1_penalty,
)


def test_undecided_discriminator_costs_log_two_a_side() -> None:
    logits = torch.zeros(5, 1)
    assert math.isclose(generator_nonsaturating(logits).item(), math.log(2), rel_tol=1e-6)
    assert math.isclose(
        discriminator_logistic(logits, logits).item(), 2 * math.log(2), rel_tol=1e-6
    )


def test_losses_push_in_the_right_direction() -> None:
    high, low = torch.full((3, 1), 4.0), torch.full((3, 1), -4.0)
    assert generator_nonsaturating(high) < generator_nonsaturating(low)
    assert discriminator_logistic(high, low) < discriminator_logistic(low, high)


def test_relativistic_losses_look_at_pairs() -> None:
    real, fake = torch.tensor([[2.0], [0.0]]), torch.tensor([[1.0], [3.0]])
    expected = (math.log1p(math.exp(-1.0)) + math.log1p(math.exp(3.0))) / 2
    assert discriminator_relativistic(real, fake).item() == pytest.approx(expected)
    assert discriminator_relativistic(real + 5, fake + 5).item() == pytest.approx(expected)
    mirrored = (math.log1p(math.exp(1.0)) + math.log1p(math.exp(-3.0))) / 2
    assert generator_relativistic(fake, real).item() == pytest.approx(mirrored)


def test_r1_of_a_linear_discriminator_is_its_squared_norm() -> None:
    weight = torch.randn(3, 4, 4, requires_grad=True)
    images = torch.randn(2, 3, 4, 4, requires_grad=True)
    logits = (images * weight).sum(dim=(1, 2, 3))[:, None]
    penalty = r1_penalty(images, logits)
    torch.testing.assert_close(penalty, weight.square().sum())
    (gradient,) = torch.autograd.grad(penalty, weight)
    torch.testing.assert_close(gradient, 2 * weight)


def test_path_length_of_a_linear_generator_is_known() -> None:
    ws = torch.randn(2, 3, 5, requires_grad=True)
    matrix = torch.randn(15, 3 * 4 * 8, requires_grad=True)
    images = (ws.flatten(1) @ matrix).reshape(2, 3, 4, 8)
    noise = torch.randn(2, 3, 4, 8)
    jacobian = (noise.flatten(1) / math.sqrt(32)) @ matrix.t()
    expected = jacobian.reshape(2, 3, 5).square().sum(dim=2).mean(dim=1).sqrt()
    lengths = path_lengths(images, ws, noise)
    torch.testing.assert_close(lengths, expected)
    (gradient,) = torch.autograd.grad(lengths.sum(), matrix)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.sum(), matrix)[0])
