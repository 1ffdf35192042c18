"""The small discriminators of a projected one, one a scale; parameters are named as published."""

import itertools
import math

import torch
from torch import Tensor, nn

from squeezespan.generators.spectral_norm import StoredNormConv2d

__all__ = ["Head"]

_LAST_SIDE = 8
"""The published code names a head's blocks by the sides that they have for images of 256."""
_WIDTHS = {4: 512, 8: 512, 16: 256, 32: 128, 64: 64, 128: 64, 256: 32}
"""Channels by that side."""
_CLASS_WIDTH = 64
_EMBEDDING = 128
_SLOPE = 0.2


class _SeparableConv2d(nn.Module):
    """A 3x3 convolution of every channel by itself, then one across channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = StoredNormConv2d(
            in_channels, in_channels, 3, padding=1, groups=in_channels
        )
        self.pointwise = StoredNormConv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C_in, H, W] to [B, C_out, H, W]."""
        mixed: Tensor = self.pointwise(self.depthwise(x))
        return mixed


class _DownBlock(nn.Module):
    """Halves the side."""

    def __init__(self, in_channels: int, out_channels: int, separable: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            _SeparableConv2d(in_channels, out_channels)
            if separable
            else StoredNormConv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=True),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(_SLOPE, inplace=True),
        ]
        if separable:
            layers.append(nn.AvgPool2d(2))
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C_in, r, r] to [B, C_out, r/2, r/2]."""
        y: Tensor = self.main(x)
        return y


class Head(nn.Module):
    """Judges one mixed map, place by place.

    Args:
        in_channels: of the map.
        blocks: how often it is halved before it is judged.
        num_classes: 0 for an unconditional one; otherwise the judgement is the product of a
            projection of the class's embedding with the features (Miyato and Koyama 2018).
        separable: depthwise and pointwise convolutions in the place of whole ones.
    """

    def __init__(
        self, in_channels: int, blocks: int, *, num_classes: int = 0, separable: bool = False
    ) -> None:
        super().__init__()
        sides = [_LAST_SIDE * 2**i for i in range(blocks, -1, -1)]
        widths = [in_channels, *(_WIDTHS[side] for side in sides[1:])]
        layers: list[nn.Module] = [
            _DownBlock(have, out, separable) for have, out in itertools.pairwise(widths)
        ]
        if num_classes:
            self.cls = StoredNormConv2d(widths[-1], _CLASS_WIDTH, 4)
            self.embed = nn.Embedding(num_classes, _EMBEDDING)
            self.embed_proj = nn.Sequential(
                nn.Linear(_EMBEDDING, _CLASS_WIDTH), nn.LeakyReLU(_SLOPE, inplace=True)
            )
        else:
            layers.append(StoredNormConv2d(widths[-1], 1, 4))
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """Judge a map.

        Args:
            x: [B, C, r, r].
            labels: class indices, int64 [B]; None for an unconditional one.

        Returns:
            Logits float32 [B, n], one for each place.
        """
        judged: Tensor = self.main(x)
        if labels is not None:
            projected = self.embed_proj(self.embed(labels))[..., None, None]
            products = self.cls(judged).float() * projected.float()
            judged = products.sum(dim=1, keepdim=True) / math.sqrt(_CLASS_WIDTH)
        return torch.flatten(judged.float(), 1)
