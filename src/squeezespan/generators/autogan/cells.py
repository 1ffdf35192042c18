"""AutoGAN's cells in the two forms that checkpoints hold, parameters named as published.

`FixedCell` has only the layers that its plan uses. `SearchCell` is one of the search's
super-network: it carries the layers of every plan, and its plan says which of them run.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.autogan.genotype import CellPlan, Upsampling

__all__ = ["FixedCell", "SearchCell"]


def _resize(x: Tensor, factor: int, upsampling: Upsampling) -> Tensor:
    if upsampling == "bilinear":
        return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    return F.interpolate(x, scale_factor=factor, mode="nearest")


def _double(channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)


class FixedCell(nn.Module):
    """A cell that doubles the size, with the layers of its plan and no others.

    Args:
        channels: width of input and output.
        plan: norm first, batch norm or none, upsampling without deconvolution.
    """

    def __init__(self, channels: int, plan: CellPlan) -> None:
        super().__init__()
        self.plan = plan
        self.c1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.c2 = nn.Conv2d(channels, channels, 3, padding=1)
        if plan.norm == "batch":
            self.n1 = nn.BatchNorm2d(channels)
            self.n2 = nn.BatchNorm2d(channels)
        if plan.shortcut:
            self.c_sc = nn.Conv2d(channels, channels, 1)
        if plan.skips:
            self.skip_in_ops = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in plan.skips)

    def forward(self, x: Tensor, skips: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Give the cell's output and the skip for later cells, both [B, C, 2H, 2W].

        Args:
            x: the earlier cell's output, [B, C, H, W].
            skips: skips of all earlier cells.
        """
        plan = self.plan
        h = self.n1(x) if plan.norm == "batch" else x
        h = self.c1(_resize(F.relu(h), 2, plan.upsampling))
        for layer, earlier in zip(self.skip_in_ops if plan.skips else (), plan.skips, strict=True):
            skip = skips[earlier]
            h = h + layer(_resize(skip, h.shape[-1] // skip.shape[-1], plan.upsampling))
        skip_out = h
        h = self.n2(h) if plan.norm == "batch" else h
        h = self.c2(F.relu(h))
        if plan.shortcut:
            h = h + self.c_sc(_resize(x, 2, plan.upsampling))
        return h, skip_out


class _SearchConv(nn.Module):
    """One convolution of the super-network with its norm, ReLU and upsampling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn = nn.BatchNorm2d(channels)
        self.deconv = _double(channels)

    def forward(self, x: Tensor, plan: CellPlan, up: bool) -> Tensor:
        if plan.norm_first:
            x = self._upsample(F.relu(self._normalize(x, plan)), plan, up)
            return self._convolve(x)
        return F.relu(self._normalize(self._convolve(self._upsample(x, plan, up)), plan))

    def _convolve(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y

    def _upsample(self, x: Tensor, plan: CellPlan, up: bool) -> Tensor:
        if not up:
            return x
        if plan.upsampling == "deconv":
            y: Tensor = self.deconv(x)
            return y
        return _resize(x, 2, plan.upsampling)

    def _normalize(self, x: Tensor, plan: CellPlan) -> Tensor:
        if plan.norm == "batch":
            y: Tensor = self.bn(x)
            return y
        return F.instance_norm(x) if plan.norm == "instance" else x


class SearchCell(nn.Module):
    """A cell of the super-network, run by its plan.

    Args:
        channels: width of input and output.
        plan: which layers run.
        index: 0 for the first cell; it has a layer for the skip of each earlier one.
    """

    def __init__(self, channels: int, plan: CellPlan, index: int) -> None:
        super().__init__()
        self.plan = plan
        self.post_conv1 = _SearchConv(channels)
        self.pre_conv1 = _SearchConv(channels)
        self.post_conv2 = _SearchConv(channels)
        self.pre_conv2 = _SearchConv(channels)
        self.deconv_sc = _double(channels)
        self.c_sc = nn.Conv2d(channels, channels, 1)
        self.skip_deconvx2 = _double(channels)
        self.skip_deconvx4 = nn.Sequential(_double(channels), _double(channels))
        if index:
            self.skip_in_ops = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(index))

    def forward(self, x: Tensor, skips: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Give the cell's output and the skip for later cells; see `FixedCell.forward`."""
        plan = self.plan
        first, second = (
            (self.pre_conv1, self.pre_conv2)
            if plan.norm_first
            else (self.post_conv1, self.post_conv2)
        )
        h = first(x, plan, up=True)
        for earlier in plan.skips:
            h = h + self.skip_in_ops[earlier](self._resized_skip(skips[earlier], h.shape[-1]))
        skip_out = h
        h = second(h, plan, up=False)
        if plan.shortcut:
            deconvolves = plan.upsampling == "deconv"
            h = h + self.c_sc(self.deconv_sc(x) if deconvolves else _resize(x, 2, plan.upsampling))
        return h, skip_out

    def _resized_skip(self, skip: Tensor, size: int) -> Tensor:
        factor = size // skip.shape[-1]
        if self.plan.upsampling != "deconv":
            return _resize(skip, factor, self.plan.upsampling)
        layer = self.skip_deconvx2 if factor == 2 else self.skip_deconvx4
        resized: Tensor = layer(skip)
        return resized
