"""Targets that are not learnt: what a student regresses when there is no squeeze module."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError

__all__ = ["RawTarget", "StandardizedTarget"]

_CONSTANT = 1e-6
"""Standard deviation, as a share of the channel's largest size, up to which it never varies."""


class RawTarget(nn.Module):
    """The pooled features as they are, or the latent: the target of vanilla distillation."""

    def forward(self, source: Mapping[str, Tensor]) -> Tensor:
        """Concatenate one batch.

        Args:
            source: name to pooled features, float [B, C].

        Returns:
            float [B, sum of the C], in the order of `source`.
        """
        return torch.cat(list(source.values()), dim=1)


class StandardizedTarget(RawTarget):
    """The pooled features, each channel with mean 0 and standard deviation 1 over many images.

    The statistics are measured once, before the first step, and then never change; they are
    buffers, so that checkpoints keep them. Channels that never vary say nothing of an image: they
    are 0 in the target and `varying` tells them apart.

    Args:
        widths: name of an input (a block, or `w`) to its number of channels.
        teacher: whose features they are, as messages name it.
    """

    mean: Tensor
    """Of every channel, float32 [D]."""
    std: Tensor
    """Of every channel, unbiased, float32 [D]; 1 where it never varies."""
    varying: Tensor
    """Whether a channel varies, bool [D]."""

    def __init__(self, widths: Mapping[str, int], teacher: str = "generator") -> None:
        super().__init__()
        self.teacher = teacher
        self._widths = dict(widths)
        width = sum(widths.values())
        # NaN until they are measured, so that a forgotten measurement can't go unnoticed.
        self.register_buffer("mean", torch.full((width,), float("nan")))
        self.register_buffer("std", torch.full((width,), float("nan")))
        self.register_buffer("varying", torch.ones(width, dtype=torch.bool))

    @torch.no_grad()
    def measure(self, batches: Iterable[Mapping[str, Tensor]]) -> None:
        """Measure every channel over all images of `batches`.

        Args:
            batches: pooled features, float [B, C] each, of at least two images together.

        Raises:
            UserError: a channel is not finite, or none varies.
        """
        count = 0
        for batch in batches:
            values = super().forward(batch).double()
            if not count:
                # Sums about the first batch's mean: squares of large means would cancel badly.
                shift = values.mean(dim=0)
                total, squares = torch.zeros_like(shift), torch.zeros_like(shift)
                largest = torch.zeros_like(shift)
            total += (values - shift).sum(dim=0)
            squares += (values - shift).square().sum(dim=0)
            largest = torch.maximum(largest, values.abs().amax(dim=0))
            count += len(values)
        if count < 2:
            raise ValueError("statistics of a target need at least two images")
        if not bool(squares.isfinite().all()):
            raise UserError(
                f"the {self.teacher}'s features are not finite numbers, so there is no target; try "
                "--precision fp32, and look at the GAN's images with `squeezespan gan sample`"
            )
        offset = total / count
        std = ((squares - count * offset.square()) / (count - 1)).clamp_min(0).sqrt()
        varying = std > _CONSTANT * largest
        if not bool(varying.any()):
            raise UserError(
                f"no channel of the {self.teacher}'s features differs between images, so there is "
                "nothing to learn from them"
            )
        self.mean.copy_(shift + offset)
        self.std.copy_(torch.where(varying, std, 1.0))
        self.varying.copy_(varying)

    def forward(self, source: Mapping[str, Tensor]) -> Tensor:
        """Standardize one batch.

        Args:
            source: name to pooled features, float [B, C].

        Returns:
            float [B, sum of the C], in the order of `source`; 0 where a channel never varies.
        """
        return (super().forward(source) - self.mean) / self.std * self.varying

    @property
    def left_out(self) -> list[str]:
        """Names of the channels that never vary, such as `b4:17`, counted from 0."""
        names = [f"{name}:{i}" for name, width in self._widths.items() for i in range(width)]
        return [
            name for name, varies in zip(names, self.varying.tolist(), strict=True) if not varies
        ]

    def describe(self) -> dict[str, Any]:
        """Give the statistics, ready for JSON: `mean` and `std` of every input, and `left_out`."""
        widths = list(self._widths.values())
        sides = {
            name: [
                [float(f"{x:.7g}") for x in part.tolist()] for part in torch.split(values, widths)
            ]
            for name, values in (("mean", self.mean), ("std", self.std))
        }
        return {
            name: dict(zip(self._widths, parts, strict=True)) for name, parts in sides.items()
        } | {"left_out": self.left_out}
