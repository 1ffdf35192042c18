"""AutoGAN generator (Gong et al. 2019): three searched cells, each doubling the size.

Block features are the first map and the cells' outputs, before the final norm and ReLU.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.autogan.cells import FixedCell, SearchCell
from squeezespan.generators.autogan.genotype import VARIANTS, parse_genotype, plan_cells
from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.randomness import StepRandom

__all__ = ["AutoGANConfig", "AutoGANGenerator"]

_CELLS = 3


@dataclass(frozen=True)
class AutoGANConfig:
    """Constructor arguments of an AutoGAN generator; defaults are the released CIFAR-10 model's."""

    z_dim: int = 128
    width: int = 256
    """Channels of every map."""
    bottom_width: int = 4
    """Side of the first map; 6 on STL-10."""
    channels: int = 3
    genotype: tuple[int, ...] = VARIANTS["a"]
    """How the cells are wired; see `autogan_genotype`."""
    search_network: bool = False
    """Whether the weights are the search's super-network, of which the genotype uses a part."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "genotype", parse_genotype(self.genotype))
        if not self.search_network and self.genotype not in VARIANTS.values():
            raise UserError("AutoGAN without the search's super-network is variant a, b or c")


class AutoGANGenerator(ConvolutionalGenerator):
    """Unconditional AutoGAN generator. `w` is z, which truncation scales.

    Args:
        config: the sizes; `config_from_state` reads them off published weights.
    """

    def __init__(self, config: AutoGANConfig) -> None:
        super().__init__()
        self.config = config
        self.l1 = nn.Linear(config.z_dim, config.width * config.bottom_width**2)
        for index, plan in enumerate(plan_cells(config.genotype)):
            cell = (
                SearchCell(config.width, plan, index)
                if config.search_network
                else FixedCell(config.width, plan)
            )
            self.add_module(f"cell{index + 1}", cell)
        self.to_rgb = nn.Sequential(
            nn.BatchNorm2d(config.width),
            nn.ReLU(),
            nn.Conv2d(config.width, config.channels, 3, padding=1),
        )

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        sizes = [config.bottom_width * 2**level for level in range(_CELLS + 1)]
        return GeneratorInfo(
            family="autogan",
            resolution=sizes[-1],
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.z_dim,
            num_ws=1,
            num_classes=0,
            block_channels={f"b{size}": config.width for size in sizes},
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
        side = self.config.bottom_width
        with self.precision(z.device):
            x: Tensor = self.l1(z)
            x = x.reshape(len(x), -1, side, side).contiguous(memory_format=torch.channels_last)
            features = {f"b{side}": x}
            skips: list[Tensor] = []
            for index in range(_CELLS):
                x, skip = self.get_submodule(f"cell{index + 1}")(x, skips)
                skips.append(skip)
                features[f"b{x.shape[-1]}"] = x
            images = torch.tanh(self.to_rgb(x).float())
        return Generated(images, features, z[:, None])
