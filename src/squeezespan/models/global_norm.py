"""Normalization by the statistics of the global batch of all processes, with its gradients."""

from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

from squeezespan.losses.gather import world_size

__all__ = ["Running", "normalize_globally"]


class Running(NamedTuple):
    """Statistics that a batch's move, in place."""

    mean: Tensor
    """float [C]"""
    variance: Tensor
    """float [C], unbiased"""
    momentum: float
    """How far they move, 0 to 1."""


def normalize_globally(
    x: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    running: Running | None = None,
) -> Tensor:
    """Batch norm in training, over the batches of all processes.

    Args:
        x: [B, C] or [B, C, ...] of this process; B is the same on every process.
        weight: gain [C], or None.
        bias: [C]; None without a gain.
        eps: added to the variance.
        running: statistics to move; None moves none.

    Returns:
        of the shape and type of `x`.
    """
    if world_size() == 1:
        mean, variance, momentum = running or (None, None, 0.0)
        return F.batch_norm(x, mean, variance, weight, bias, True, momentum, eps)
    output, mean, variance = _GlobalNorm.apply(x, weight, bias, eps)
    if running is not None:
        count = x.numel() // x.shape[1] * world_size()
        unbiased = variance * (count / max(count - 1, 1))
        with torch.no_grad():
            running.mean.lerp_(mean.to(running.mean.dtype), running.momentum)
            running.variance.lerp_(unbiased.to(running.variance.dtype), running.momentum)
    normalized: Tensor = output
    return normalized


class _GlobalNorm(torch.autograd.Function):
    """Normalization whose mean, variance and gradients run over the batches of all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        precise = x if x.dtype == torch.float64 else x.float()
        variance, mean = torch.var_mean(precise, dim=_all_but_channels(x), correction=0)
        local = torch.stack([mean, variance])
        parts = [torch.empty_like(local) for _ in range(world_size())]
        dist.all_gather(parts, local)
        means, variances = torch.stack(parts).unbind(dim=1)
        # Moments about each process's own mean: a sum of raw squares would cancel digits away.
        mean = means.mean(dim=0)
        variance = variances.mean(dim=0) + means.var(dim=0, correction=0)
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(variance + eps))
        ctx.mark_non_differentiable(mean, variance)
        output = F.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)
        return output, mean, variance

    @staticmethod
    def backward(
        ctx: Any, grad: Tensor, *_: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        x, weight, mean, inverse_std = ctx.saved_tensors
        dims = _all_but_channels(x)
        precise = grad.to(mean.dtype)
        normalized = (x - _per_channel(mean, x)) * _per_channel(inverse_std, x)
        sums = torch.stack([precise.sum(dim=dims), (precise * normalized).sum(dim=dims)])
        own_sums = sums.clone()
        dist.all_reduce(sums)
        mean_grad, mean_product = sums / (x.numel() // x.shape[1] * world_size())
        scale = inverse_std if weight is None else inverse_std * weight
        grad_x = _per_channel(scale, x) * (
            precise - _per_channel(mean_grad, x) - normalized * _per_channel(mean_product, x)
        )
        # Data parallelism adds the other processes' shares of these.
        grad_bias, grad_weight = own_sums if weight is not None else (None, None)
        return grad_x.to(x.dtype), grad_weight, grad_bias, None


def _all_but_channels(x: Tensor) -> list[int]:
    return [dim for dim in range(x.ndim) if dim != 1]


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(1, -1, *[1] * (x.ndim - 2))
