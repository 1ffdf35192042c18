"""Spectrally normalized layers in the two published storage forms (Miyato et al. 2018).

BigGAN keeps `weight` and a left vector `u0` and refreshes the singular vectors on every forward
pass; torch's own form, which FastGAN uses, keeps `weight_orig`, `weight_u` and `weight_v`, and in
eval mode divides by the singular value that the stored vectors give.

Generators here are sources of images, not trained, so a forward pass never changes a buffer.
"""

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
    """Weight, vectors and bias of torch's spectral norm in eval mode."""

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, shape: tuple[int, ...], bias: int, dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        self.weight_orig = nn.Parameter(torch.randn(shape) * 0.02)
        self.bias = nn.Parameter(torch.zeros(bias)) if bias else None
        matrix = self.weight_orig.detach().movedim(dim, 0).flatten(1)
        u = torch.randn(matrix.shape[0])
        for _ in range(5):
            v = F.normalize(u @ matrix, dim=0)
            u = F.normalize(matrix @ v, dim=0)
        self.register_buffer("weight_u", u)
        self.register_buffer("weight_v", v)

    def normalized_weight(self) -> Tensor:
        """The weight divided by its spectral norm, float32."""
        return stored_norm_weight(self.weight_orig, self.weight_u, self.weight_v, self.dim)


class StoredNormConv2d(_StoredNorm):
    """Convolution with torch's spectral norm."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        padding: int = 0,
        bias: bool = False,
    ) -> None:
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        super().__init__(shape, out_channels if bias else 0)
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, H', W']."""
        return F.conv2d(x, self.normalized_weight(), self.bias, padding=self.padding)


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
