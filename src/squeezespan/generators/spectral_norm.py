"""Spectrally normalized layers in the two published storage forms (Miyato et al. 2018).

BigGAN keeps `weight` and a left vector `u0` and refreshes the singular vectors on every forward
pass; torch's own form, which FastGAN and the projected discriminator use, keeps `weight_orig`,
`weight_u` and `weight_v`, and in eval mode divides by the singular value that the stored vectors
give.

In BigGAN's form a forward pass never changes a buffer, because these generators are not trained
here; in torch's form it refreshes the vectors in training mode, as torch does.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.hardware import autocast

__all__ = [
    "PowerIteratedConv2d",
    "PowerIteratedLinear",
    "StoredNormConv2d",
    "StoredNormConvTranspose2d",
    "StoredNormLinear",
    "power_iterated_weight",
    "stored_norm_weight",
]

_EPS = 1e-8
"""Keeps BigGAN's singular vectors finite; the value of its training scripts."""
_FIRST_ITERATIONS = 5
"""On new weights, so that a network that was never trained is normalized, too."""


def power_iterated_weight(weight: Tensor, u: Tensor, iterations: int) -> Tensor:
    """Divide `weight` by its largest singular value as power iteration from `u` estimates it.

    Args:
        weight: [C_out, ...], float32.
        u: left singular vector to start from, [1, C_out].
        iterations: number of power iterations, at least 1.
    """
    with autocast(weight.device, torch.float32):
        matrix = weight.flatten(1)
        with torch.no_grad():
            for _ in range(iterations):
                v = F.normalize(u @ matrix, eps=_EPS)
                u = F.normalize(v @ matrix.t(), eps=_EPS)
        return weight / (v @ matrix.t() @ u.t()).squeeze()


def stored_norm_weight(weight: Tensor, u: Tensor, v: Tensor, dim: int = 0) -> Tensor:
    """Divide `weight` by the singular value u^T W v of its matrix along `dim`.

    Args:
        weight: float32, any shape.
        u: left singular vector, [weight.shape[dim]].
        v: right singular vector, [the product of the other sizes].
        dim: the axis that forms the matrix's rows.
    """
    with autocast(weight.device, torch.float32):
        matrix = weight.movedim(dim, 0).flatten(1)
        return weight / torch.dot(u, matrix @ v)


class _PowerIterated(nn.Module):
    """Weight and bias of BigGAN's layers; without `iterations` the weight is used as it is."""

    u0: Tensor

    def __init__(self, shape: tuple[int, ...], bias: bool, iterations: int) -> None:
        super().__init__()
        self.iterations = iterations
        self.weight = nn.Parameter(torch.randn(shape) * 0.02)
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        if iterations:
            self.register_buffer("u0", torch.randn(1, shape[0]))
            # The reference logs the last singular value here; it takes no part in the result.
            self.register_buffer("sv0", torch.ones(1))

    def normalized_weight(self) -> Tensor:
        """The weight divided by its spectral norm, float32."""
        if not self.iterations:
            return self.weight
        return power_iterated_weight(self.weight, self.u0, self.iterations)


class PowerIteratedConv2d(_PowerIterated):
    """Convolution that keeps the size, normalized as in BigGAN.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: odd side of the kernel.
        bias: whether a bias is added.
        iterations: power iterations a forward pass; 0 switches the normalization off.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        bias: bool = True,
        iterations: int = 1,
    ) -> None:
        super().__init__((out_channels, in_channels, kernel_size, kernel_size), bias, iterations)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, H, W]."""
        return F.conv2d(x, self.normalized_weight(), self.bias, padding=self.weight.shape[-1] // 2)


class PowerIteratedLinear(_PowerIterated):
    """Linear layer, normalized as in BigGAN.

    Args:
        in_features: input width.
        out_features: output width.
        bias: whether a bias is added.
        iterations: power iterations a forward pass; 0 switches the normalization off.
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: bool = True, iterations: int = 1
    ) -> None:
        super().__init__((out_features, in_features), bias, iterations)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, in_features] to [B, out_features]."""
        return F.linear(x, self.normalized_weight(), self.bias)


class _StoredNorm(nn.Module):
    """Weight, vectors and bias of torch's spectral norm; drawn as torch draws its layers."""

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, shape: tuple[int, ...], bias: int, dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight_orig = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(bias).uniform_(-bound, bound)) if bias else None
        self.register_buffer("weight_u", F.normalize(torch.randn(shape[dim]), dim=0))
        self.register_buffer("weight_v", torch.empty(math.prod(shape) // shape[dim]))
        self._iterate(_FIRST_ITERATIONS)

    def normalized_weight(self) -> Tensor:
        """The weight divided by its spectral norm, float32; refreshes the vectors in training."""
        if self.training:
            self._iterate(1)
        # The next pass changes the vectors in place, and a backward pass may come after it.
        u, v = self.weight_u.clone(), self.weight_v.clone()
        return stored_norm_weight(self.weight_orig, u, v, self.dim)

    @torch.no_grad()
    def _iterate(self, times: int) -> None:
        """Move the vectors towards those of the largest singular value."""
        with autocast(self.weight_orig.device, torch.float32):
            matrix = self.weight_orig.movedim(self.dim, 0).flatten(1)
            for _ in range(times):
                self.weight_v.copy_(F.normalize(matrix.t() @ self.weight_u, dim=0))
                self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0))


class StoredNormConv2d(_StoredNorm):
    """Convolution with torch's spectral norm."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        shape = (out_channels, in_channels // groups, kernel_size, kernel_size)
        super().__init__(shape, out_channels if bias else 0)
        self.stride = stride
        self.padding = padding
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, H', W']."""
        weight = self.normalized_weight()
        return F.conv2d(
            x, weight, self.bias, stride=self.stride, padding=self.padding, groups=self.groups
        )


class StoredNormConvTranspose2d(_StoredNorm):
    """Transposed convolution of stride 1 without bias, with torch's spectral norm."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__((in_channels, out_channels, kernel_size, kernel_size), 0, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, H + k - 1, W + k - 1]."""
        return F.conv_transpose2d(x, self.normalized_weight())


class StoredNormLinear(_StoredNorm):
    """Linear layer with bias, with torch's spectral norm."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__((out_features, in_features), out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, in_features] to [B, out_features]."""
        return F.linear(x, self.normalized_weight(), self.bias)
