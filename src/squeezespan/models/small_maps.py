"""3x3 convolutions of small maps as one matrix product, forward and backward.

In bf16 on CPUs without tiles for it (AMX), torch's convolution of a 4x4 map runs at two thirds of
the speed that a matrix product of its size has. Small students on small images end in such maps.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.hardware import has_plain_bf16

__all__ = ["SmallMapConv2d", "speed_up_small_maps"]

_LARGEST_SIDE = 4
_FEWEST_CHANNELS = 256
"""With fewer, or on larger maps, gathering the neighbours costs more than is won."""


class SmallMapConv2d(nn.Conv2d):
    """A 3x3 convolution with padding 1 that takes the faster of both forms."""

    def forward(self, input: Tensor) -> Tensor:
        """Map [B, C_in, H, W] to [B, C_out, H', W']."""
        if not self._pays(input):
            return super().forward(input)
        dtype = torch.bfloat16
        result: Tensor = _MatrixConv.apply(input.to(dtype), self.weight.to(dtype), self.stride[0])
        return result

    def _pays(self, x: Tensor) -> bool:
        computes_bf16 = x.dtype == self.weight.dtype == torch.bfloat16
        if torch.is_autocast_enabled("cpu"):
            computes_bf16 = torch.get_autocast_dtype("cpu") == torch.bfloat16
        if x.device.type != "cpu" or not computes_bf16 or not has_plain_bf16():
            return False
        height, width = x.shape[2:]
        stride = self.stride[0]
        is_small = max(height, width) <= _LARGEST_SIDE * stride and not (height | width) % stride
        return is_small and min(self.in_channels, self.out_channels) >= _FEWEST_CHANNELS


def speed_up_small_maps(network: nn.Module) -> None:
    """Put `SmallMapConv2d` in the place of every convolution that it can stand for.

    Names and parameters stay.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Conv2d and _is_plain(child):
                sizes = child.in_channels, child.out_channels, 3, child.stride[0], 1
                # Without drawing weights, so that the layers to come draw what they would have.
                with torch.device("meta"):
                    other = SmallMapConv2d(*sizes, bias=False)
                other.weight = child.weight
                setattr(module, name, other)


def _is_plain(conv: nn.Conv2d) -> bool:
    return (
        conv.kernel_size == (3, 3)
        and conv.padding == (1, 1)
        and conv.stride in ((1, 1), (2, 2))
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.bias is None
        and conv.padding_mode == "zeros"
    )


class _MatrixConv(torch.autograd.Function):
    """Every output's 9 neighbours in one row, times the kernels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        batch, channels, height, width = x.shape
        rows, columns = height // stride, width // stride
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        gathered = padded.new_empty(batch, rows, columns, 3, 3, channels)
        for i in range(3):
            for j in range(3):
                gathered[:, :, :, i, j] = _neighbours(padded, i, j, rows, columns, stride)
        neighbours = gathered.view(batch * rows * columns, 9 * channels)
        kernels = weight.permute(0, 2, 3, 1).reshape(-1, 9 * channels)
        ctx.save_for_backward(neighbours, kernels)
        ctx.sizes = (batch, channels, height, width, stride)
        return (neighbours @ kernels.t()).view(batch, rows, columns, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        neighbours, kernels = ctx.saved_tensors
        batch, channels, height, width, stride = ctx.sizes
        rows, columns = height // stride, width // stride
        grad = grad.permute(0, 2, 3, 1).reshape(batch * rows * columns, -1)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_weight = (grad.t() @ neighbours).view(-1, 3, 3, channels).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[0]:
            spread = (grad @ kernels).view(batch, rows, columns, 3, 3, channels)
            padded = grad.new_zeros(batch, height + 2, width + 2, channels)
            for i in range(3):
                for j in range(3):
                    _neighbours(padded, i, j, rows, columns, stride).add_(spread[:, :, :, i, j])
            grad_x = padded[:, 1:-1, 1:-1].permute(0, 3, 1, 2)
        return grad_x, grad_weight, None


def _neighbours(padded: Tensor, i: int, j: int, rows: int, columns: int, stride: int) -> Tensor:
    """Of every output, the neighbour in row i and column j: a view of [B, H + 2, W + 2, C]."""
    return padded[:, i : i + stride * rows : stride, j : j + stride * columns : stride][
        :, :rows, :columns
    ]
