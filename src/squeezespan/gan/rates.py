"""Learning rates that halve again and again, whatever the length of the run."""

from collections.abc import Iterable

from torch.optim import Optimizer

from squeezespan.gan.config import GanRunConfig

__all__ = ["FallingRates"]


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
