"""The optimiser: SGD, with the paper's weight decay on every parameter."""

import torch

from squeezespan.config import OptimConfig
from squeezespan.methods.base import Method

__all__ = ["build_optimizer", "set_learning_rate"]


def build_optimizer(method: Method, config: OptimConfig, peak_lr: float) -> torch.optim.SGD:
    """Build SGD over the method's parameter groups.

    Weight decay also acts on biases and normalisation parameters, as in the paper and in SimSiam.

    Args:
        method: gives the groups; one with `fixed_lr` true keeps `peak_lr` for the whole run, as
            SimSiam's predictor does (Chen and He 2021, Section 4.1).
        config: momentum and weight decay.
        peak_lr: the learning rate that the schedule starts from.
    """
    return torch.optim.SGD(
        method.parameter_groups(),
        lr=peak_lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        # On accelerators it would unscale fp16's gradients itself, where Fabric couldn't clip them.
        fused=all(parameter.device.type == "cpu" for parameter in method.parameters()),
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give `rate` to every parameter group that follows the schedule."""
    for group in optimizer.param_groups:
        if not group.get("fixed_lr", False):
            group["lr"] = rate
