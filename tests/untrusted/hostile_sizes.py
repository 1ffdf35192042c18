"""Small files of networks whose images would take all memory there is."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch
from checkpoint_files import networks
from safetensors.torch import save
from torch import Tensor
from untrusted.content import Canary, Maker

from squeezespan.generators.autogan.genotype import parse_genotype
from squeezespan.generators.autogan.network import AutoGANConfig, AutoGANGenerator
from squeezespan.generators.base import Generator
from squeezespan.generators.biggan.network import BigGANConfig, BigGANGenerator
from squeezespan.generators.dcgan.network import DCGANConfig, DCGANGenerator
from squeezespan.generators.stylegan2.network import StyleGAN2Generator
from squeezespan.generators.stylegan3.config import Ladder
from squeezespan.generators.stylegan3.network import StyleGAN3Generator

_State = dict[str, Tensor]


def _saved(make: Callable[[], _State]) -> Maker:
    def write(_: Canary) -> bytes:
        buffer = io.BytesIO()
        torch.save(make(), buffer)
        return buffer.getvalue()

    return write


def _weights(make: Callable[[], Generator]) -> Maker:
    """A state dict of a generator that is never built: ones, and without its large buffers."""

    def state() -> _State:
        with torch.device("meta"):
            shapes = {name: x.shape for name, x in make().state_dict().items()}
        return {
            name: torch.ones(shape)
            for name, shape in shapes.items()
            if not name.endswith("noise_const")
        }

    return _saved(state)


def _dcgan(first: int, layers: int) -> _State:
    kernels = [first, *[2] * (layers - 1)]
    return {f"main.{i}.weight": torch.ones(1, 1, side, side) for i, side in enumerate(kernels)}


def _own(_: Canary) -> bytes:
    """One of our own files, with a description that fits its weights."""
    layers = 40
    config = DCGANConfig(
        z_dim=1,
        widths=(1,) * (layers - 1),
        channels=1,
        kernels=(2,) * layers,
        strides=(1, *[2] * (layers - 1)),
        paddings=(0,) * layers,
        output_paddings=(0,) * layers,
        conv_names=tuple(f"main.{i}" for i in range(layers)),
        norm_names=(),
        biases=(False,) * layers,
    )
    header: dict[str, Any] = {"kind": "generator", "family": "dcgan", "config": asdict(config)}
    return save(DCGANGenerator(config).state_dict(), {"squeezespan": json.dumps(header)})


def _wide_stylegan3() -> Generator:
    ladder = Ladder(resolution=8192, channel_base=8192, channel_max=1, num_layers=5)
    return StyleGAN3Generator(networks.stylegan3_config(ladder))


SIZES: dict[str, Maker] = {
    "DCGAN of 2^40 pixels": _saved(lambda: _dcgan(2, 40)),
    "DCGAN of 8,192 pixels": _saved(lambda: _dcgan(2, 13)),
    "DCGAN whose first kernel has 1,024 pixels": _saved(lambda: _dcgan(1024, 3)),
    "BigGAN of 2^21 pixels": _weights(
        lambda: BigGANGenerator(BigGANConfig(z_dim=4, num_classes=3, widths=(1,) * 20))
    ),
    "AutoGAN whose first map has 100 pixels": _weights(
        lambda: AutoGANGenerator(
            AutoGANConfig(z_dim=4, width=1, bottom_width=100, genotype=parse_genotype("a"))
        )
    ),
    "StyleGAN2 of 2^20 pixels": _weights(
        lambda: StyleGAN2Generator(
            replace(networks.STYLEGAN2, resolution=1 << 20, channel_base=1 << 20, channel_max=1)
        )
    ),
    "DCGAN of 2^40 pixels, described": _own,
    "StyleGAN3 of 8,192 pixels": _weights(_wide_stylegan3),
}
