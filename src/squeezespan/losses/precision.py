"""Losses that overflow in half precision, kept out of autocast."""

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

__all__ = ["full_precision", "outside_autocast"]


def full_precision(z: Tensor) -> Tensor:
    """Return `z` as float32, or unchanged where it is float64."""
    return z if z.dtype == torch.float64 else z.float()


def outside_autocast(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make `loss` compute in float32 (float64 stays) whatever autocast surrounds it.

    Args:
        loss: takes embeddings as positional tensors, numbers by name, and returns a tensor.
    """

    @wraps(loss)
    def wrapped(*embeddings: Tensor, **numbers: float) -> Tensor:
        with torch.autocast(embeddings[0].device.type, enabled=False):
            return loss(*(full_precision(z) for z in embeddings), **numbers)

    return wrapped
