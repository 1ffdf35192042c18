"""DCGAN generator (Radford et al. 2016): a chain of transposed convolutions from z to the image.

Recognised layouts: any state dict whose 4-D tensors, in counting order of their names, are such a
chain: the first turns z into a k x k map, each later one doubles the size, and batch norm and ReLU
stand between them. The example of PyTorch is one (`main.0.weight`, `main.1.weight`, ...), at any
image size, width and name prefix, with or without biases. A first fully connected layer, layers
that keep the size and networks with classes are not recognised.

The last convolution makes the image itself, so block features end at half its size. They are the
maps after batch norm and ReLU.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.randomness import StepRandom

__all__ = ["DCGANConfig", "DCGANGenerator"]


@dataclass(frozen=True)
class DCGANConfig:
    """Constructor arguments of a DCGAN generator; defaults are those of PyTorch's example."""

    z_dim: int = 100
    widths: tuple[int, ...] = (512, 256, 128, 64)
    """Channels of every map before the image, coarse to fine."""
    channels: int = 3
    bottom_width: int = 4
    """Side of the first map, which is the side of the first kernel."""
    kernel_size: int = 4
    """Even side of the later kernels."""
    conv_names: tuple[str, ...] = ("main.0", "main.3", "main.6", "main.9", "main.12")
    """Names of the convolutions, first to last."""
    norm_names: tuple[str, ...] = ("main.1", "main.4", "main.7", "main.10")
    """Names of the batch norms behind all convolutions but the last; empty without norms."""
    biases: tuple[bool, ...] = (False, False, False, False, False)
    """Whether each convolution has a bias."""

    def __post_init__(self) -> None:
        for name in ("widths", "conv_names", "norm_names", "biases"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        layers = len(self.widths) + 1
        if not (
            self.widths
            and len(self.conv_names) == len(self.biases) == layers
            and len(self.norm_names) in (0, layers - 1)
        ):
            raise UserError(
                "a DCGAN has one convolution more than widths and a norm for each width"
            )
        if self.kernel_size % 2:
            raise UserError(f"a DCGAN's kernels have an even side, not {self.kernel_size}")


class DCGANGenerator(ConvolutionalGenerator):
    """Unconditional DCGAN generator. `w` is z, which truncation scales.

    Args:
        config: the sizes; `config_from_state` reads them off any weights that are recognised.
    """

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.z_dim, *config.widths, config.channels]
        for index, (name, bias) in enumerate(zip(config.conv_names, config.biases, strict=True)):
            conv = nn.ConvTranspose2d(
                widths[index],
                widths[index + 1],
                kernel_size=config.kernel_size if index else config.bottom_width,
                stride=2 if index else 1,
                padding=config.kernel_size // 2 - 1 if index else 0,
                bias=bias,
            )
            _add_at(self, name, conv)
        for name, width in zip(config.norm_names, config.widths, strict=False):
            _add_at(self, name, nn.BatchNorm2d(width))

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        sizes = [config.bottom_width * 2**level for level in range(len(config.widths) + 1)]
        return GeneratorInfo(
            family="dcgan",
            resolution=sizes[-1],
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.z_dim,
            num_ws=1,
            num_classes=0,
            block_channels={f"b{r}": width for r, width in zip(sizes, config.widths, strict=False)},
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
        self.labels_of(latents)
        z = latents.z.float() * truncation
        x = z[..., None, None].contiguous(memory_format=torch.channels_last)
        features: dict[str, Tensor] = {}
        with self.precision(z.device):
            *inner, last = self.config.conv_names
            for index, name in enumerate(inner):
                x = self.get_submodule(name)(x)
                if self.config.norm_names:
                    x = self.get_submodule(self.config.norm_names[index])(x)
                x = F.relu(x)
                features[f"b{x.shape[-1]}"] = x
            images = torch.tanh(self.get_submodule(last)(x).float())
        return Generated(images, features, z[:, None])


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
