"""Noticing in time that a training has gone wrong: a loss that is no number, or a collapse."""

import math
import sys
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from squeezespan.errors import TrainingError

__all__ = ["CollapseWatch", "LossWatch", "check_weights"]

_NEVER = 2**62


class LossWatch:
    """Remembers on the device at which step a loss or a statistic first was not finite.

    Args:
        device: where the numbers are.
        advice: what to try, for the message.
    """

    def __init__(self, device: torch.device, advice: str) -> None:
        self._advice = advice
        self._first = torch.full((), _NEVER, dtype=torch.int64, device=device)
        self._losses: Mapping[str, Tensor] = {}

    def observe(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Look at the numbers of one step without waiting for the device."""
        finite = torch.stack([loss.isfinite() for loss in losses.values()]).all()
        here = torch.where(finite, _NEVER, step)
        self._first = torch.minimum(self._first, here)
        self._losses = losses

    @property
    def first_bad_step(self) -> Tensor:
        """The step, int64 scalar on the device; huge while all is well."""
        return self._first

    def check(self, first_bad_step: int) -> None:
        """Raise where a number was not finite.

        Args:
            first_bad_step: the smallest `first_bad_step` of all processes, brought to the CPU.

        Raises:
            TrainingError: names the step, the numbers and what to try.
        """
        if first_bad_step == _NEVER:
            return
        terms = [name for name, loss in self._losses.items() if not bool(loss.isfinite().all())]
        parts = f" (now not finite: {', '.join(terms)})" if terms else ""
        raise TrainingError(
            f"the loss stopped being a finite number at step {first_bad_step}{parts}; "
            f"{self._advice}"
        )


def check_weights(step: int, tensors: Iterable[Tensor], advice: str) -> None:
    """Make sure that weights are fit to be saved.

    Args:
        step: for the message.
        tensors: the weights.
        advice: what to try, for the message.

    Raises:
        TrainingError: one of them is not finite.
    """
    for tensor in tensors:
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise TrainingError(
                f"the weights stopped being finite numbers by step {step}, though the loss still "
                f"was one; {advice}"
            )


class CollapseWatch:
    """Warns once when something has stayed nearly constant over the batch for a while.

    Args:
        watched: name of the number, among what a method gives; low is bad.
        name: of the verdict, in logs.
        threshold: below which it counts as constant.
        patience: how many observations in a row it takes; at the end of a training, one.
        verdict: what to say of what was trained, in a sentence.
        warning: what to say at once; `{step}`, and `{std}` formatted, are filled in.
    """

    def __init__(
        self,
        watched: str,
        name: str,
        threshold: float,
        patience: int,
        verdict: str,
        warning: str,
    ) -> None:
        self.watched = watched
        self.name = name
        self.verdict = verdict
        self._threshold = threshold
        self._patience = patience
        self._warning = warning
        self._warned = False
        self.low_in_a_row = 0
        """Observations below the threshold up to now; saved with the checkpoint."""

    def observe(self, step: int, std: float, *, last: bool, loud: bool = True) -> bool:
        """Look at one measurement and tell whether it is a collapse.

        Args:
            step: for the warning.
            std: standard deviation over the batch.
            last: whether the training ends with this step.
            loud: whether to warn, which one process does for all.
        """
        low = math.isfinite(std) and std < self._threshold
        self.low_in_a_row = self.low_in_a_row + 1 if low else 0
        collapsed = self.collapsed(last=last)
        if collapsed and loud and not self._warned:
            print(f"warning: {self._warning.format(step=step, std=std)}", file=sys.stderr)
        self._warned |= collapsed
        return collapsed

    def collapsed(self, *, last: bool) -> bool:
        """Tell whether it is a collapse by what was observed up to now.

        Args:
            last: whether the training has ended.
        """
        return self.low_in_a_row >= (1 if last else self._patience)
