"""VICReg's and SimSiam's losses and one optimisation step beside lightly's.

The figures are those of lightly 1.6.0 (`VICRegLoss`, `NegativeCosineSimilarity`) with torch's SGD
(momentum 0.9, weight decay 5e-4, learning rate 0.05) in float64, for the same inputs and weights.
lightly averages the variance terms of the two views where VICReg's authors, and the paper, add
them: its mu is twice ours.
"""

import pytest
import torch
from torch import Tensor, nn

from squeezespan.config import MethodConfig, OptimConfig
from squeezespan.distillation.optimizer import build_optimizer
from squeezespan.losses.simsiam import negative_cosine
from squeezespan.losses.vicreg import covariance, invariance, variance
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.simsiam import SimSiam
from squeezespan.methods.vicreg import VICReg


def wave(rows: int, columns: int, shift: float) -> Tensor:
    row = torch.arange(rows, dtype=torch.float64)[:, None]
    column = torch.arange(columns, dtype=torch.float64)
    return torch.sin(shift + 0.7 * row + 1.3 * column + 0.11 * row * column)


def linear(outputs: int, inputs: int, shift: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False, dtype=torch.float64)
    layer.weight.data = 0.4 * wave(outputs, inputs, shift)
    return layer


def step(method: Method) -> float:
    """Do one optimisation step on two views, and give the loss before it."""
    first = wave(12, 6, 0.2)
    loss = method(Batch(real_views=(first, first + 0.3 * wave(12, 6, 1.9))))["loss"]
    optimizer = build_optimizer(method, OptimConfig(momentum=0.9, weight_decay=5e-4), 0.05)
    loss.backward()
    optimizer.step()
    value: float = loss.item()
    return value


def close(weight: Tensor, first: list[float], norm: float) -> None:
    assert weight.detach().flatten()[:4].tolist() == pytest.approx(first, rel=1e-10)
    assert weight.detach().norm().item() == pytest.approx(norm, rel=1e-12)


def test_terms() -> None:
    a, b = wave(12, 5, 0.1), 1.5 * wave(12, 5, 1.0)
    assert invariance(a, b).item() == pytest.approx(0.6954378606521544, rel=1e-12)
    half = (variance(a) + variance(b)) / 2
    assert half.item() == pytest.approx(0.1356723780196055, rel=1e-12)
    assert (covariance(a) + covariance(b)).item() == pytest.approx(1.1905923961181402, rel=1e-12)
    assert negative_cosine(a, b).item() == pytest.approx(-0.6205020740369817, rel=1e-12)


def test_a_step_of_vicreg() -> None:
    head = linear(5, 6, 0.5)
    method = VICReg(nn.Identity(), head, MethodConfig("vicreg", 0.0, 25.0, 25.0, 1.0))
    assert step(method) == pytest.approx(18.65542215252497, rel=1e-12)
    first = [0.175023736364263, 0.5959975609422187, 0.08037233448938637, -0.6535140919117455]
    close(head.weight, first, 2.502389415490328)


def test_a_step_of_simsiam() -> None:
    head, predictor = linear(5, 6, 0.5), linear(5, 5, 1.1)
    assert step(SimSiam(nn.Identity(), head, predictor, 0.0)) == pytest.approx(
        -0.1122614402239791, rel=1e-12
    )
    first = [0.19469105299425427, 0.3917789222307232, 0.014262261565350773, -0.3829626112709505]
    close(head.weight, first, 1.5445100172937483)
    first = [0.35820377775573103, 0.27158210638455926, -0.21224512556056238, -0.3831678618944016]
    close(predictor.weight, first, 1.4145785012381735)
