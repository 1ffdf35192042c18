"""AutoGAN generator (Gong et al. 2019): three searched cells, each doubling the size.

Block features are the first map and the cells' outputs, before the final norm and ReLU.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.autogan_cells import FixedCell, SearchCell
from squeezespan.generators.autogan_genotype import VARIANTS, parse_genotype, plan_cells
from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.randomness import StepRandom

__all__ = ["AutoGANConfig", "AutoGANGenerator", "config_from_state"]

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


def config_from_state(
    state: Mapping[str, Tensor], *, genotype: Sequence[int] | str | None = None
) -> AutoGANConfig:
    """Infer an AutoGAN's sizes from names and shapes, and its wiring where the names show it.

    Variants a, b and c differ in the layers they have. Upsampling modes leave no trace, so a
    super-network needs its genotype.

    Args:
        state: a published state dict, no prefix before `l1.weight`.
        genotype: a variant's letter or the 14 numbers; needed for a super-network.

    Raises:
        UserError: not an AutoGAN generator, or the genotype is needed or contradicts the weights.
    """
    shapes = StateShapes(state, "an AutoGAN generator")
    area, z_dim = shapes.shape("l1.weight", 2)
    channels, width = shapes.shape("to_rgb.2.weight", 4)[:2]
    search_network = "cell1.pre_conv1.conv.weight" in shapes
    given = None if genotype is None else parse_genotype(genotype)
    chosen = given if search_network else _variant(shapes)
    if chosen is None:
        raise UserError(
            "these weights are an AutoGAN super-network, which does not say which of its layers "
            "are used: give the genotype, the 14 numbers of `--arch` that it was trained with "
            "(`squeezespan gan convert --genotype` writes a file that says it)"
        )
    if given is not None and given != chosen:
        raise shapes.refusal("the genotype given is of another variant")
    return AutoGANConfig(
        z_dim=z_dim,
        width=width,
        bottom_width=shapes.square_side(area // width, "l1.weight"),
        channels=channels,
        genotype=chosen,
        search_network=search_network,
    )


def _variant(shapes: StateShapes) -> tuple[int, ...]:
    """The fixed variant that has the layers found."""
    for genotype in VARIANTS.values():
        plans = plan_cells(genotype)
        if all(
            f"cell{index + 1}.c1.weight" in shapes
            and (f"cell{index + 1}.c_sc.weight" in shapes) == plan.shortcut
            and (f"cell{index + 1}.n1.weight" in shapes) == (plan.norm == "batch")
            and shapes.count(f"cell{index + 1}.skip_in_ops.{{}}.weight") == len(plan.skips)
            for index, plan in enumerate(plans)
        ):
            return genotype
    raise shapes.refusal("its cells are not those of variant a, b or c")
