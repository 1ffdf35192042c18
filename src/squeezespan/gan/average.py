"""The weight average of a generator in training."""

import torch
from torch import Tensor, nn

from squeezespan.gan.config import GanLossConfig

__all__ = ["move_average"]


@torch.no_grad()
def move_average(
    average: nn.Module, current: nn.Module, loss: GanLossConfig, images_seen: int, batch: int
) -> None:
    """Move an average of weights towards the current ones; buffers are copied.

    Args:
        average: changed in place.
        current: the network in training.
        loss: has the half-life, and how far it is shortened at the beginning.
        images_seen: real images before the present batch, as in the published StyleGAN2-ADA.
        batch: images since the last move.
    """
    half_life = loss.ema_kimg * 1000
    if loss.ema_rampup is not None:
        half_life = min(half_life, images_seen * loss.ema_rampup)
    decay = 0.5 ** (batch / max(half_life, 1e-8))
    averages: list[Tensor] = list(average.parameters())
    newest: list[Tensor] = list(current.parameters())
    torch._foreach_lerp_(averages, newest, 1 - decay)
    for kept, buffer in zip(average.buffers(), current.buffers(), strict=True):
        kept.copy_(buffer)
