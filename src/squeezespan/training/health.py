"""Noticing in time that a training has gone wrong: a loss that is no number, or a collapse."""

import math
import sys
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from squeezespan.errors import TrainingError

__all__ = ["CollapseWatch", "LossWatch", "check_weights"]

_NEVER = 2**62
_ADVICE = (
    "what was saved before is kept; start again in another --out with a lower "
    "--optim.base-lr, --optim.clip-grad-norm 1 or --precision fp32"
)


class LossWatch:
    """Remembers on the device at which step the loss first was not finite.

    Args:
        device: where the losses are.
    """

    def __init__(self, device: torch.device) -> None:
        self._first = torch.full((), _NEVER, dtype=torch.int64, device=device)
        self._losses: Mapping[str, Tensor] = {}

    def observe(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Look at the losses of one step without waiting for the device."""
        here = torch.where(losses["loss"].isfinite(), _NEVER, step)
        self._first = torch.minimum(self._first, here)
        self._losses = losses

    @property
    def first_bad_step(self) -> Tensor:
        """The step, int64 scalar on the device; huge while all is well."""
        return self._first

    def check(self, first_bad_step: int) -> None:
        """Raise where a loss was not finite.

        Args:
            first_bad_step: the smallest `first_bad_step` of all processes, brought to the CPU.

        Raises:
            TrainingError: names the step, the terms of the loss and what to try.
        """
        if first_bad_step == _NEVER:
            return
        terms = [name for name, loss in self._losses.items() if not bool(loss.isfinite().all())]
        parts = f" (now not finite: {', '.join(terms)})" if terms else ""
        raise TrainingError(
            f"the loss stopped being a finite number at step {first_bad_step}{parts}; {_ADVICE}"
        )


def check_weights(step: int, tensors: Iterable[Tensor], advice: str = _ADVICE) -> None:
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
    """Warns once when the embedding has stayed nearly constant over the batch for a while.

    Args:
        threshold: standard deviation (averaged over dimensions) below which it counts as constant.
        patience: how many observations in a row it takes.
    """

    def __init__(self, threshold: float, patience: int) -> None:
        self._threshold = threshold
        self._patience = patience
        self.low_in_a_row = 0
        """Observations below the threshold up to now; saved with the checkpoint."""

    def observe(self, step: int, embedding_std: float) -> bool:
        """Look at one measurement and tell whether the student has collapsed.

        Args:
            step: for the warning.
            embedding_std: standard deviation of the embedding over the batch.
        """
        low = math.isfinite(embedding_std) and embedding_std < self._threshold
        self.low_in_a_row = self.low_in_a_row + 1 if low else 0
        if self.low_in_a_row == self._patience:
            print(
                f"warning: the student has collapsed: by step {step} it gives nearly the same "
                f"embedding to every image (standard deviation {embedding_std:.1e}). What it "
                "learns now is worth nothing; raise --method.variance, lower --optim.base-lr, or "
                "turn augmentation on.",
                file=sys.stderr,
            )
        return self.low_in_a_row >= self._patience
