"""Batch norm over the global batch of all processes, on CPUs too, and control of its statistics."""

from collections.abc import Iterator
from contextlib import contextmanager

from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from squeezespan.errors import UserError
from squeezespan.losses.gather import world_size
from squeezespan.models.global_norm import Running, normalize_globally

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
        if not self.track_running_stats:
            return normalize_globally(input, self.weight, self.bias, self.eps)
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:
            momentum = 1.0 / float(self.num_batches_tracked)
        running = Running(self.running_mean, self.running_var, momentum)
        return normalize_globally(input, self.weight, self.bias, self.eps, running)


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
