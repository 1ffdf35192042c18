"""Batch norm over the global batch of all processes, on CPUs too, and control of its statistics."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from squeezespan.errors import UserError
from squeezespan.losses.gather import world_size

__all__ = ["SyncBatchNorm", "convert_sync_batchnorm", "kept_running_statistics"]


class SyncBatchNorm(_BatchNorm):
    """Batch norm over the global batch of all processes.

    On an accelerator it is torch's `SyncBatchNorm`; that one, and data parallelism with it,
    refuses CPUs, where this one has its own computation. Every process must have equally many
    images. With gradients averaged over processes, training equals one process with the whole
    batch.
    """

    process_group = None
    _check_input_dim = nn.SyncBatchNorm._check_input_dim
    _check_non_zero_input_channels = nn.SyncBatchNorm._check_non_zero_input_channels

    def forward(self, input: Tensor) -> Tensor:
        """Normalize [B, C] or [B, C, ...] by the statistics of the global batch."""
        if input.device.type != "cpu" or not self.training or world_size() == 1:
            return nn.SyncBatchNorm.forward(self, input)  # type: ignore[arg-type]
        output, mean, variance = _GlobalNorm.apply(input, self.weight, self.bias, self.eps)
        if self.track_running_stats:
            self._update_running(mean, variance, input.numel() // input.shape[1] * world_size())
        normalized: Tensor = output
        return normalized

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:
            momentum = 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        unbiased = variance * (count / max(count - 1, 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), momentum)


class _SyncBatchNormAct(SyncBatchNorm):
    """The same for timm's batch norm that applies its activation itself."""

    drop: nn.Module
    act: nn.Module

    def forward(self, input: Tensor) -> Tensor:
        activated: Tensor = self.act(self.drop(super().forward(input)))
        return activated


def convert_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every batch norm inside `module` by one over all processes.

    Names, parameters, buffers and training mode stay, so state dicts fit before and after.

    Args:
        module: changed in place, unless it is itself a batch norm.

    Returns:
        `module`, or its replacement.

    Raises:
        UserError: a kind of batch norm that can't be synchronized.
    """
    if isinstance(module, _BatchNorm):
        return _synchronized(module)
    for name, child in module.named_children():
        setattr(module, name, convert_sync_batchnorm(child))
    return module


@contextmanager
def kept_running_statistics(module: nn.Module) -> Iterator[None]:
    """Inside the context, batch norms that train leave their running statistics as they are.

    They still normalize by the batch's statistics.

    Args:
        module: the network whose batch norms are held.
    """
    held = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    try:
        for norm in held:
            norm.track_running_stats = False
        yield
    finally:
        for norm in held:
            norm.track_running_stats = True


def _synchronized(norm: _BatchNorm) -> SyncBatchNorm:
    if isinstance(norm, SyncBatchNorm):
        return norm
    kind = type(norm)
    if kind not in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, BatchNormAct2d):
        raise UserError(f"{kind.__name__} can't average over processes; choose another backbone")
    synchronized: SyncBatchNorm
    if isinstance(norm, BatchNormAct2d):
        synchronized = _SyncBatchNormAct(norm.num_features)
        synchronized.drop, synchronized.act = norm.drop, norm.act
    else:
        synchronized = SyncBatchNorm(norm.num_features)
    synchronized.eps = norm.eps
    synchronized.momentum = norm.momentum
    synchronized.affine = norm.affine
    synchronized.track_running_stats = norm.track_running_stats
    synchronized.weight, synchronized.bias = norm.weight, norm.bias
    synchronized.running_mean, synchronized.running_var = norm.running_mean, norm.running_var
    synchronized.num_batches_tracked = norm.num_batches_tracked
    return synchronized.train(norm.training)


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
