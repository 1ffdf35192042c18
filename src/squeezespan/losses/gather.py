"""The global batch under data parallelism, with gradients."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from squeezespan.losses.precision import full_precision

__all__ = ["gather_batch", "global_rank", "world_size"]


def world_size() -> int:
    """Number of processes that train together; 1 where `torch.distributed` is not in use."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def global_rank() -> int:
    """Number of this process among those that train together, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def gather_batch(z: Tensor) -> Tensor:
    """Concatenate the embeddings of all processes in order of rank, differentiably.

    A loss of the gathered batch, computed alike on every process, gives after data parallelism's
    averaging exactly the gradients of one process with the whole batch.

    Args:
        z: embeddings [B, D] of this process, floating; B is the same on every process.

    Returns:
        float32 (float64 for float64) [world_size * B, D]; `z` itself in that precision where
        there is one process.
    """
    # Half precision would round the sum of the processes' gradients.
    z = full_precision(z)
    if world_size() == 1:
        return z
    gathered: Tensor = _Gather.apply(z)
    return gathered


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        parts = [
            torch.empty_like(z, memory_format=torch.contiguous_format) for _ in range(world_size())
        ]
        dist.all_gather(parts, z.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # Every process's loss depends on these rows, so their gradients add up.
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total.chunk(world_size())[dist.get_rank()]
