"""SGD and LARS of students, step by step beside published implementations."""

from typing import Any

import pytest
import torch
from tiny_methods import make_method
from torch import Tensor, nn

from squeezespan.config import OptimConfig
from squeezespan.distillation.optimizer import build_optimizer, set_learning_rate

RATES = (0.05, 0.3, 0.2)


class Three(nn.Module):
    """A weight matrix, a bias and a kernel, float64, whose gradients are given."""

    def __init__(self) -> None:
        super().__init__()
        count = torch.arange(12, dtype=torch.float64)
        self.weight = nn.Parameter(torch.sin(1 + count).view(4, 3))
        self.bias = nn.Parameter(torch.cos(count[:4]))
        self.kernel = nn.Parameter(torch.cos(2 + count[:8]).view(2, 1, 2, 2) * 0.02)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters())}]


def stepped(config: OptimConfig) -> list[Tensor]:
    """The parameters after three steps with three learning rates."""
    method = Three()
    optimizer = build_optimizer(method, config, 0.3)  # type: ignore[arg-type]
    for step, rate in enumerate(RATES):
        set_learning_rate(optimizer, rate)
        for number, parameter in enumerate(method.parameters()):
            entries = torch.arange(parameter.numel(), dtype=torch.float64)
            slope = torch.sin(0.3 + step + number + 0.9 * entries) * (0.5 + number)
            parameter.grad = slope.view(parameter.shape)
        optimizer.step()
    return [parameter.detach().flatten() for parameter in method.parameters()]


# Weight, bias and kernel after the same three steps of github.com/tsb0601/EMP-SSL's `LARSWrapper`
# around torch's SGD (commit 8fc3758) and of github.com/vturrisi/solo-learn's `LARS` (9187ea3), both
# with biases and normalisation excluded.
PUBLISHED: dict[str, tuple[dict[str, Any], list[list[float]]]] = {
    "EMP-SSL": (
        {"nesterov": True, "trust": 0.005},
        [
            [
                0.807795821618, 0.852928369178, 0.104718174584, -0.745688590705, -0.908707194192,
                -0.228100783583, 0.670564337023, 0.954925192869, 0.355735216025, -0.579683891786,
                -0.987944897635, -0.485937521926,
            ],
            [-0.428123452466, 0.514469465375, 0.979860713601, 0.771384761798],
            [
                -0.008832264435, -0.019355471977, -0.012011085361, 0.006548900472, 0.019230252673,
                0.014235765151, -0.003983986687, -0.018715526148,
            ],
        ],
    ),
    "solo-learn": (
        {"trust": 0.02},
        [
            [
                0.737103034631, 0.696694319543, -0.018816979179, -0.743035077639, -0.781877588296,
                -0.073082838268, 0.73645448896, 0.881827059597, 0.198973822571, -0.701472225851,
                -0.982596386689, -0.357505690005,
            ],
            [-0.186236612581, 0.259261520899, 0.420694269178, 0.331425834724],
            [
                -0.010715662239, -0.01863333284, -0.009229910236, 0.009284373398, 0.019849872156,
                0.012270615957, -0.007046718483, -0.020558026249,
            ],
        ],
    ),
    "solo-learn, not clipped": (
        {"trust": 0.001, "trust_clip": False},
        [
            [
                0.840715163711, 0.908459636839, 0.140834306905, -0.756319889266, -0.958038617155,
                -0.27879707404, 0.656869767711, 0.988594601087, 0.411285974935, -0.544292442918,
                -0.999495042549, -0.535686026662,
            ],
            [-0.186236612581, 0.259261520899, 0.420694269178, 0.331425834724],
            [
                -0.008324955351, -0.019786980495, -0.01305485426, 0.005682774803, 0.019197236822,
                0.015060844683, -0.002925215647, -0.01822432039,
            ],
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_lars_is_the_published_one(name: str) -> None:
    settings, expected = PUBLISHED[name]
    found = stepped(OptimConfig("lars", weight_decay=1e-4, **settings))
    for ours, theirs in zip(found, expected, strict=True):
        wanted = torch.tensor(theirs, dtype=torch.float64)
        torch.testing.assert_close(ours, wanted, rtol=0, atol=2e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_is_torchs_and_decays_everything(nesterov: bool) -> None:
    method = Three()
    reference = torch.optim.SGD(
        method.parameters(), lr=0.3, momentum=0.9, weight_decay=0.1, nesterov=nesterov
    )
    for step, rate in enumerate(RATES):
        reference.param_groups[0]["lr"] = rate
        for number, parameter in enumerate(method.parameters()):
            entries = torch.arange(parameter.numel(), dtype=torch.float64)
            slope = torch.sin(0.3 + step + number + 0.9 * entries) * (0.5 + number)
            parameter.grad = slope.view(parameter.shape)
        reference.step()
    found = stepped(OptimConfig(weight_decay=0.1, nesterov=nesterov))
    for ours, theirs in zip(found, method.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.detach().flatten(), rtol=0, atol=1e-12)


def test_lars_leaves_simsiams_predictor_its_learning_rate() -> None:
    method = make_method(name="simsiam", alpha=0.0)
    optimizer = build_optimizer(method, OptimConfig("lars", weight_decay=1e-4), 0.3)
    set_learning_rate(optimizer, 0.1)
    predictor = {name for name, _ in method.named_parameters() if name.startswith("predictor")}
    rates = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    assert len(rates) == len(list(method.parameters()))
    for name, parameter in method.named_parameters():
        group = rates[id(parameter)]
        assert group["lr"] == (0.3 if name in predictor else 0.1)
        assert group["weight_decay"] == (1e-4 if parameter.ndim > 1 else 0.0)
        assert group["always_adapt"] == (parameter.ndim > 1)
