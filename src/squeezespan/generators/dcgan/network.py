"""DCGAN generator (Radford et al. 2016): a chain of transposed convolutions from z to the image.

The last convolution makes the image itself, so block features end before it. They are the maps
after batch norm and activation, the last of each size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.randomness import StepRandom
from squeezespan.settings import Range

__all__ = ["ACTIVATIONS", "OUTPUTS", "DCGANConfig", "DCGANGenerator", "Output", "map_sizes"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "none": lambda x: x,
}
"""What may stand behind the norms; `leaky_relu` takes its slope as `activation_slope`."""

Output = Literal["tanh", "sigmoid", "none"]

OUTPUTS: dict[Output, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    # Images of [0, 1] become images of [-1, 1].
    "sigmoid": lambda x: 2 * torch.sigmoid(x) - 1,
    "none": lambda x: x,
}
"""What makes an image of the last convolution's map."""


@dataclass(frozen=True)
class DCGANConfig:
    """Constructor arguments of a DCGAN generator; defaults are those of PyTorch's example."""

    z_dim: int = 100
    widths: tuple[int, ...] = (512, 256, 128, 64)
    """Channels of every map before the image, coarse to fine."""
    channels: int = 3
    kernels: tuple[int, ...] = (4, 4, 4, 4, 4)
    """Side of every convolution's kernel."""
    strides: tuple[int, ...] = (1, 2, 2, 2, 2)
    paddings: tuple[int, ...] = (0, 1, 1, 1, 1)
    output_paddings: tuple[int, ...] = (0, 0, 0, 0, 0)
    """Added to the size of every map on one side."""
    conv_names: tuple[str, ...] = ("main.0", "main.3", "main.6", "main.9", "main.12")
    """Names of the convolutions, first to last."""
    norm_names: tuple[str, ...] = ("main.1", "main.4", "main.7", "main.10")
    """Names of the batch norms behind all convolutions but the last; empty without norms."""
    biases: tuple[bool, ...] = (False, False, False, False, False)
    """Whether each convolution has a bias."""
    activation: str = "relu"
    """One of `ACTIVATIONS`."""
    activation_slope: Annotated[float, Range(0, 1)] = 0.2
    """Of `leaky_relu` below zero."""
    output: Output = "tanh"
    num_classes: int = 0
    """Classes that follow z in the first convolution's input, one-hot; 0 for none."""

    def __post_init__(self) -> None:
        layers = len(self.widths) + 1
        for name in (
            *("widths", "kernels", "strides", "paddings", "output_paddings"),
            *("conv_names", "norm_names", "biases"),
        ):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.widths or len(self.norm_names) not in (0, layers - 1):
            raise UserError(
                "a DCGAN has one convolution more than widths and a norm for each width"
            )
        for name in ("kernels", "strides", "paddings", "output_paddings", "conv_names", "biases"):
            if len(getattr(self, name)) != layers:
                raise UserError(
                    f"a DCGAN of {layers} convolutions needs {layers} {name}, "
                    f"not {len(getattr(self, name))}"
                )
        if self.activation not in ACTIVATIONS:
            raise UserError(f"a DCGAN's activation is one of {', '.join(ACTIVATIONS)}")
        sizes = map_sizes(self)
        if min(sizes) < 1 or any(finer < coarser for coarser, finer in pairwise(sizes)):
            raise UserError(
                f"its strides and paddings make maps of {', '.join(map(str, sizes))} pixels, which "
                "is no image"
            )


def map_sizes(config: DCGANConfig) -> list[int]:
    """Sides of every map, the image the last."""
    sizes, side = [], 1
    for kernel, stride, padding, more in zip(
        config.kernels, config.strides, config.paddings, config.output_paddings, strict=True
    ):
        side = (side - 1) * stride - 2 * padding + kernel + more
        sizes.append(side)
    return sizes


class DCGANGenerator(ConvolutionalGenerator):
    """DCGAN generator, unconditional or with classes. `w` is z, which truncation scales.

    Args:
        config: the sizes; `config_from_state` reads them off any weights that are recognised.
    """

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.z_dim + config.num_classes, *config.widths, config.channels]
        for index, (name, bias) in enumerate(zip(config.conv_names, config.biases, strict=True)):
            more = config.output_paddings[index]
            if more >= config.strides[index]:
                raise UserError(
                    f"an output padding of {more} must be smaller than its stride, "
                    f"{config.strides[index]}"
                )
            conv = nn.ConvTranspose2d(
                widths[index],
                widths[index + 1],
                kernel_size=config.kernels[index],
                stride=config.strides[index],
                padding=config.paddings[index],
                output_padding=more,
                bias=bias,
            )
            _add_at(self, name, conv)
        for name, width in zip(config.norm_names, config.widths, strict=False):
            _add_at(self, name, nn.BatchNorm2d(width))

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        *inner, resolution = map_sizes(config)
        return GeneratorInfo(
            family="dcgan",
            resolution=resolution,
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.z_dim,
            num_ws=1,
            num_classes=config.num_classes,
            block_channels={f"b{r}": width for r, width in zip(inner, config.widths, strict=True)},
        )

    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features; see `Generator.forward`. There is no noise."""
        config, labels = self.config, self.labels_of(latents)
        z = latents.z.float() * truncation
        x = z if labels is None else torch.cat([z, F.one_hot(labels, config.num_classes)], dim=1)
        x = x[..., None, None].contiguous(memory_format=torch.channels_last)
        features: dict[str, Tensor] = {}
        with self.precision(z.device):
            *inner, last = config.conv_names
            for index, name in enumerate(inner):
                x = self.get_submodule(name)(x)
                if config.norm_names:
                    x = self.get_submodule(config.norm_names[index])(x)
                x = self._activate(x)
                features[f"b{x.shape[-1]}"] = x
            images = OUTPUTS[config.output](self.get_submodule(last)(x).float())
        return Generated(images, features, z[:, None])

    def _activate(self, x: Tensor) -> Tensor:
        if self.config.activation == "leaky_relu":
            return F.leaky_relu(x, self.config.activation_slope)
        return ACTIVATIONS[self.config.activation](x)


def _add_at(root: nn.Module, name: str, module: nn.Module) -> None:
    """Register `module` under a dotted name, with plain containers on the way."""
    parent = root
    *path, leaf = name.split(".")
    try:
        for part in path:
            if part not in dict(parent.named_children()):
                parent.add_module(part, nn.Module())
            parent = parent.get_submodule(part)
        parent.add_module(leaf, module)
    except KeyError as error:
        raise UserError(f"a DCGAN's layer cannot be named {name}") from error
