"""Random, fixed mixing of feature maps across channels and scales (Sauer et al. 2021, Section 3).

Parameters are named as published. They are drawn as PyTorch draws convolutions and never trained.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["RandomMixing"]


class _Fusion(nn.Module):
    """Doubles a map's side and mixes its channels, after adding the finer map."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(channels, out_channels, 1)

    def forward(self, coarse: Tensor | None, fine: Tensor) -> Tensor:
        """Map [B, C, r, r] and the same to [B, C_out, 2r, 2r]."""
        summed = fine if coarse is None else coarse + fine
        doubled = F.interpolate(summed, scale_factor=2, mode="bilinear", align_corners=True)
        mixed: Tensor = self.out_conv(doubled)
        return mixed


class RandomMixing(nn.Module):
    """Cross-channel, then cross-scale mixing of four maps.

    Args:
        in_channels: of the four maps, fine to coarse.
        channels: of the finest mixed map; the coarser have 1, 2 and 4 times as many.

    Attributes:
        channels: of the four mixed maps, fine to coarse.
    """

    def __init__(self, in_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        widths = [channels * 2**i for i in range(len(in_channels))]
        self.channels = [channels, *widths[:-1]]
        for i, (have, width, out) in enumerate(
            zip(in_channels, widths, self.channels, strict=True)
        ):
            self.add_module(f"layer{i}_ccm", nn.Conv2d(have, width, 1))
            self.add_module(f"layer{i}_csm", _Fusion(width, out))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Mix maps [B, C_i, r_i, r_i], each of half the last one's side, fine to coarse.

        Returns:
            As many maps, of twice the side each.
        """
        mixed: list[Tensor] = []
        coarse: Tensor | None = None
        for i, feature_map in reversed(list(enumerate(maps))):
            across_channels = self.get_submodule(f"layer{i}_ccm")(feature_map)
            coarse = self.get_submodule(f"layer{i}_csm")(coarse, across_channels)
            assert coarse is not None
            mixed.append(coarse)
        return mixed[::-1]
