"""The smallest generator of every family, with random weights."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.generators import autogan, biggan, dcgan, fastgan
from squeezespan.generators.base import Generator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.generators.stylegan3.config import Ladder, StyleGAN3Config, design_layers
from squeezespan.generators.stylegan_xl import (
    StyleGANXLGenerator,
    superresolution_config,
    xl_config,
)

_Network = TypeVar("_Network", bound=nn.Module)

STYLEGAN2 = StyleGAN2Config(
    resolution=8,
    z_dim=4,
    w_dim=6,
    channel_base=64,
    channel_max=8,
    mapping_layers=2,
    conv_clamp=256.0,
)
STYLEGAN2_CONDITIONAL = StyleGAN2Config(
    resolution=8, z_dim=4, w_dim=6, num_classes=3, channel_base=64, channel_max=8, mapping_layers=1
)
_LADDER = Ladder(resolution=16, channel_base=64, channel_max=4, num_layers=5)


def stylegan3_config(ladder: Ladder = _LADDER, num_classes: int = 0) -> StyleGAN3Config:
    return StyleGAN3Config(
        resolution=ladder.resolution,
        layers=design_layers(ladder),
        z_dim=4,
        w_dim=6,
        num_classes=num_classes,
        input_size=36,
        input_sampling_rate=16,
    )


def _rotating() -> StyleGAN3Config:
    ladder = Ladder(
        resolution=16,
        channel_base=64,
        channel_max=4,
        num_layers=5,
        conv_kernel=1,
        use_radial_filters=True,
    )
    return stylegan3_config(ladder, num_classes=3)


def _superresolution() -> StyleGANXLGenerator:
    stem = xl_config(stylegan3_config(num_classes=3), 4, 5)
    head = Ladder(resolution=32, channel_base=64, channel_max=4, num_layers=3)
    return StyleGANXLGenerator(superresolution_config(stem, head))


_MAKERS: dict[str, Callable[[], Generator]] = {
    "stylegan2": lambda: StyleGAN2Generator(STYLEGAN2),
    "stylegan2_conditional": lambda: StyleGAN2Generator(STYLEGAN2_CONDITIONAL),
    "stylegan3_t": lambda: StyleGAN3Generator(stylegan3_config()),
    "stylegan3_r": lambda: StyleGAN3Generator(_rotating()),
    "stylegan_xl": lambda: StyleGANXLGenerator(xl_config(stylegan3_config(num_classes=3), 4, 5)),
    "stylegan_xl_superresolution": _superresolution,
    "fastgan": lambda: fastgan.FastGANGenerator(
        fastgan.FastGANConfig(resolution=64, z_dim=4, base_width=2)
    ),
    "fastgan_conditional": lambda: fastgan.FastGANGenerator(
        fastgan.FastGANConfig(resolution=64, z_dim=4, base_width=2, num_classes=3, lite=True)
    ),
    "biggan": lambda: biggan.BigGANGenerator(
        biggan.BigGANConfig(z_dim=4, num_classes=3, widths=(8, 8, 4))
    ),
    "autogan": lambda: autogan.AutoGANGenerator(autogan.AutoGANConfig(z_dim=4, width=4)),
    "dcgan": lambda: dcgan.DCGANGenerator(dcgan.DCGANConfig(z_dim=4, widths=(8, 8, 4, 4))),
}
FAMILIES = tuple(_MAKERS)


def make_network(name: str) -> Generator:
    """Give a generator in eval mode whose every weight matters and is the same every time."""
    torch.manual_seed(0)
    return randomized(_MAKERS[name]())


def make_discriminator() -> StyleGAN2Discriminator:
    """Give a StyleGAN2 discriminator to match."""
    torch.manual_seed(1)
    config = StyleGAN2DiscriminatorConfig(
        resolution=8, channel_base=64, channel_max=8, conv_clamp=256.0
    )
    return randomized(StyleGAN2Discriminator(config))


def randomized(network: _Network) -> _Network:
    """Give weights that start as zeros or ones other values."""
    for tensor in network.state_dict().values():
        if tensor.is_floating_point() and tensor.numel() and bool((tensor == tensor.max()).all()):
            tensor.add_(torch.rand_like(tensor) * 0.1)
    return network.eval().requires_grad_(False)
