"""Sizes and layers of BigGAN's generator (Brock et al. 2019), parameters named as published."""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.generators.spectral_norm import PowerIteratedConv2d, PowerIteratedLinear
from squeezespan.settings import Range

__all__ = ["BigGANConfig", "OutputNorm", "ResidualBlock", "SelfAttention"]


@dataclass(frozen=True)
class BigGANConfig:
    """Constructor arguments of a BigGAN generator; defaults are those of the CIFAR-10 runs."""

    z_dim: int = 128
    """Width of the whole z, all chunks of a hierarchical one together."""
    num_classes: int = 10
    bottom_width: int = 4
    """Side of the first map."""
    widths: tuple[int, ...] = (256, 256, 256, 256)
    """Channels of the first map, then of every block's output."""
    channels: int = 3
    shared_dim: int = 0
    """Width of the class embedding that all blocks share; 0 gives each norm its own table."""
    hierarchical: bool = False
    """Whether every block sees its own chunk of z; needs `shared_dim`."""
    attention_blocks: tuple[int, ...] = ()
    """Indices of the blocks that self-attention follows."""
    statistics_submodule: bool = False
    """Whether the norms keep their statistics in a submodule `bn` (the option `mybn`)."""
    power_iterations: Annotated[int, Range(0, 100)] = 1
    """Power iterations of the spectral norm a forward pass; 0 for a network without it."""
    batch_statistics: bool = False
    """Normalize by the batch's own statistics instead of the stored ones. Published scores of the
    CIFAR runs were computed so; an image then depends on the others of its batch."""

    def __post_init__(self) -> None:
        for name in ("widths", "attention_blocks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def num_blocks(self) -> int:
        """Number of residual blocks."""
        return len(self.widths) - 1

    @property
    def z_chunk(self) -> int:
        """Width of the part of z that the first layer sees."""
        return self.z_dim // (self.num_blocks + 1) if self.hierarchical else self.z_dim

    @property
    def condition_dim(self) -> int:
        """Width of what a block's norms see where the class embedding is shared."""
        return self.shared_dim + (self.z_chunk if self.hierarchical else 0)


class _Norm(nn.Module):
    """Batch norm without parameters; statistics named as the two published variants do."""

    def __init__(self, config: BigGANConfig, channels: int) -> None:
        super().__init__()
        self.batch_statistics = config.batch_statistics
        holder: nn.Module = self
        if config.statistics_submodule:
            self.bn = holder = nn.Module()
            holder.register_buffer("accumulation_counter", torch.zeros(1))
        holder.register_buffer("stored_mean", torch.zeros(channels))
        holder.register_buffer("stored_var", torch.ones(channels))
        self._prefix = "bn." if config.statistics_submodule else ""

    def normalize(self, x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        """Normalize x [B, C, H, W], then scale and shift by [B or 1, C]."""
        if self.batch_statistics:
            var, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)
        else:
            mean = self.get_buffer(f"{self._prefix}stored_mean")
            var = self.get_buffer(f"{self._prefix}stored_var")
        scale = (var + 1e-5).rsqrt() * gain.float()
        shift = (bias.float() - mean * scale).to(x.dtype)
        return torch.addcmul(shift[..., None, None], x, scale.to(x.dtype)[..., None, None])


class OutputNorm(_Norm):
    """Batch norm with one gain and bias for all classes."""

    def __init__(self, config: BigGANConfig, channels: int) -> None:
        super().__init__(config, channels)
        self.gain = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x [B, C, H, W]."""
        return self.normalize(x, self.gain[None], self.bias[None])


class ConditionalNorm(_Norm):
    """Batch norm whose gain and bias depend on the class, or on its embedding and z."""

    def __init__(self, config: BigGANConfig, channels: int) -> None:
        super().__init__(config, channels)
        self.gain = self._table(config, channels)
        self.bias = self._table(config, channels)

    @staticmethod
    def _table(config: BigGANConfig, channels: int) -> nn.Module:
        if not config.shared_dim:
            table = nn.Embedding(config.num_classes, channels)
            nn.init.zeros_(table.weight)
            return table
        return PowerIteratedLinear(
            config.condition_dim, channels, bias=False, iterations=config.power_iterations
        )

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Normalize x [B, C, H, W] under class indices [B] or embeddings [B, D]."""
        return self.normalize(x, 1 + self.gain(condition), self.bias(condition))


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut; doubles the size."""

    def __init__(self, config: BigGANConfig, in_channels: int, out_channels: int) -> None:
        super().__init__()
        iterations = config.power_iterations
        self.bn1 = ConditionalNorm(config, in_channels)
        self.conv1 = PowerIteratedConv2d(in_channels, out_channels, 3, iterations=iterations)
        self.bn2 = ConditionalNorm(config, out_channels)
        self.conv2 = PowerIteratedConv2d(out_channels, out_channels, 3, iterations=iterations)
        self.conv_sc = PowerIteratedConv2d(in_channels, out_channels, 1, iterations=iterations)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map x [B, C_in, H, W] to [B, C_out, 2H, 2W]."""
        h: Tensor = F.interpolate(F.relu(self.bn1(x, condition)), scale_factor=2, mode="nearest")
        h = self.conv2(F.relu(self.bn2(self.conv1(h), condition)))
        # A 1x1 convolution and nearest upsampling commute: the small map is cheaper to convolve.
        shortcut: Tensor = F.interpolate(self.conv_sc(x), scale_factor=2, mode="nearest")
        return h + shortcut


class SelfAttention(nn.Module):
    """Self-attention over a map, keys and values pooled to half its size (Zhang et al. 2019)."""

    def __init__(self, config: BigGANConfig, channels: int) -> None:
        super().__init__()

        def project(in_channels: int, out_channels: int) -> PowerIteratedConv2d:
            return PowerIteratedConv2d(
                in_channels, out_channels, 1, bias=False, iterations=config.power_iterations
            )

        self.theta = project(channels, channels // 8)
        self.phi = project(channels, channels // 8)
        self.g = project(channels, channels // 2)
        self.o = project(channels // 2, channels)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, H, W] to the same shape."""
        query = self.theta(x).flatten(2).transpose(1, 2)
        key = F.max_pool2d(self.phi(x), 2).flatten(2)
        value = F.max_pool2d(self.g(x), 2).flatten(2)
        weights = torch.softmax(query @ key, dim=-1).to(value.dtype)
        attended = (value @ weights.transpose(1, 2)).reshape(len(x), -1, *x.shape[2:])
        output: Tensor = self.o(attended)
        return x + self.gamma.to(x.dtype) * output
