"""The optimiser: SGD, with the paper's weight decay on every parameter, or LARS."""

from typing import Any

import torch

from squeezespan.config import OptimConfig
from squeezespan.methods.base import Method

__all__ = ["build_optimizer", "set_learning_rate"]


def build_optimizer(method: Method, config: OptimConfig, peak_lr: float) -> torch.optim.Optimizer:
    """Build the optimizer over the method's parameter groups.

    SGD's weight decay also acts on biases and normalisation parameters, as in the paper and in
    SimSiam. LARS (You et al. 2017) adapts and decays weight matrices and kernels alone, and is
    SGD for the others, as self-supervised methods use it.

    Args:
        method: gives the groups; one with `fixed_lr` true keeps `peak_lr` for the whole run, as
            SimSiam's predictor does (Chen and He 2021, Section 4.1).
        config: which one, and its numbers.
        peak_lr: the learning rate that the schedule starts from.
    """
    groups = method.parameter_groups()
    if config.optimizer == "lars":
        return _lars(groups, config, peak_lr)
    return torch.optim.SGD(
        groups,
        lr=peak_lr,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
        # On accelerators it would unscale fp16's gradients itself, where Fabric couldn't clip them.
        fused=all(parameter.device.type == "cpu" for parameter in method.parameters()),
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give `rate` to every parameter group that follows the schedule."""
    for group in optimizer.param_groups:
        if not group.get("fixed_lr", False):
            group["lr"] = rate


def _lars(
    groups: list[dict[str, Any]], config: OptimConfig, peak_lr: float
) -> torch.optim.Optimizer:
    from timm.optim.lars import Lars

    split = []
    for group in groups:
        adapted = [parameter for parameter in group["params"] if parameter.ndim > 1]
        others = [parameter for parameter in group["params"] if parameter.ndim <= 1]
        # `always_adapt`, because timm else leaves out the trust ratio without weight decay.
        split.append({**group, "params": adapted, "always_adapt": True})
        split.append({**group, "params": others, "always_adapt": False, "weight_decay": 0.0})
    return Lars(
        [group for group in split if group["params"]],
        lr=peak_lr,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
        trust_coeff=config.trust,
        trust_clip=config.trust_clip,
    )
