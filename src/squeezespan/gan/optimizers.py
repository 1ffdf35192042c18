"""The optimizers of GAN training, and learning rates that halve again and again."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from squeezespan.gan.config import GanRunConfig

__all__ = ["FallingRates", "adam", "lazy_ratio", "step_along"]

_BETA2 = 0.99
_MAX_GRADIENT = 1e5
"""In the place of an infinite gradient, which half precision has now and then."""


def lazy_ratio(interval: int) -> float:
    """How much slower an optimizer is for the extra steps of a lazy term (Karras et al. 2020).

    The published training slows it down where the term's weight is 0, too.
    """
    return interval / (interval + 1)


def adam(parameters: Iterable[nn.Parameter], rate: float, ratio: float) -> torch.optim.Adam:
    """Adam without momentum, slowed down by `ratio`."""
    return torch.optim.Adam(
        parameters, lr=rate * ratio, betas=(0.0, _BETA2**ratio), eps=1e-8, fused=True
    )


def step_along(optimizer: Optimizer, gradients: Iterable[Tensor]) -> None:
    """Do a step along gradients, those of the optimizer's weights, which are used up by it."""
    for gradient in gradients:
        gradient.nan_to_num_(nan=0.0, posinf=_MAX_GRADIENT, neginf=-_MAX_GRADIENT)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


class FallingRates:
    """Sets the learning rates of a step; a function of the images seen, so that runs can be longer.

    Args:
        train: the run's settings of the loop.
        optimizers: with the rates that they begin with.
    """

    def __init__(self, train: GanRunConfig, optimizers: Iterable[Optimizer]) -> None:
        self._train = train
        self._rates = [
            (optimizer, [float(group["lr"]) for group in optimizer.param_groups])
            for optimizer in optimizers
        ]

    def set(self, step: int) -> None:
        """Set the rates of the step that follows `step` steps."""
        train = self._train
        if train.decay_kimg is None:
            return
        kimg = step * train.batch_size / 1000
        factor = 0.5 ** (max(kimg - train.decay_after_kimg, 0.0) / train.decay_kimg)
        for optimizer, rates in self._rates:
            # Loading a checkpoint gives an optimizer new groups.
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
