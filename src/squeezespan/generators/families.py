"""The families of generators: how each is told by its weights, described and built."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators import autogan, biggan, dcgan, fastgan
from squeezespan.generators.autogan_genotype import parse_genotype
from squeezespan.generators.base import Generator
from squeezespan.generators.checkpoints import stylegan2 as stylegan2_files
from squeezespan.generators.checkpoints import stylegan3 as stylegan3_files
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.generators.stylegan3_config import StyleGAN3Config
from squeezespan.generators.stylegan_xl import StyleGANXLConfig, StyleGANXLGenerator

__all__ = ["FAMILIES", "Choices", "Family", "family_of", "find_family"]


@dataclass(frozen=True)
class Choices:
    """What a checkpoint cannot say and its user may."""

    genotype: Sequence[int] | str | None = None
    """Of an AutoGAN super-network: the 14 numbers of its search, or a variant's letter."""
    batch_statistics: bool = False
    """BigGAN: normalize by each batch's statistics, as its repository scores it."""
    conv_clamp: float | None = None
    """StyleGANs: clamp of the convolutions instead of the file's, 0 for none; None leaves it."""

    def check(self, family: str) -> None:
        """Refuse a choice that `family` doesn't have.

        Raises:
            UserError: a genotype for another family than AutoGAN, batch statistics for another
                than BigGAN, a clamp for another than the StyleGANs, or one that is no limit.
        """
        if self.genotype is not None and family != "autogan":
            raise UserError(f"this is a {family}; only AutoGAN has a genotype")
        if self.batch_statistics and family != "biggan":
            raise UserError(f"this is a {family}; only BigGAN can take each batch's statistics")
        if self.conv_clamp is not None:
            if not family.startswith("stylegan"):
                raise UserError(f"this is a {family}; only StyleGANs clamp their convolutions")
            stylegan2_files.chosen_clamp(self.conv_clamp)


@dataclass(frozen=True)
class Family:
    """One family of generators."""

    name: str
    """As `GeneratorInfo.family` has it."""
    recognizes: Callable[[Mapping[str, Tensor]], bool]
    """Whether weights of such names are of this family."""
    configure: Callable[[Network, Choices], Any]
    """Give the configuration of a checkpoint's network."""
    config_class: Callable[..., Any]
    """Makes a configuration from what a header has."""
    build: Callable[[Any], Generator]
    """Makes the generator."""
    check: Callable[[Any, Mapping[str, Tensor]], None] = lambda _, __: None
    """Refuse a header's configuration that would cost more to build than its weights allow."""
    choose: Callable[[Any, Choices], Any] = lambda config, _: config
    """Change a header's configuration as the user chooses."""


def _is_dcgan(state: Mapping[str, Tensor]) -> bool:
    """DCGANs have no names in common, only their chain of convolutions."""
    try:
        dcgan.config_from_state(state)
    except UserError:
        return False
    return True


def _check_stylegan3(config: StyleGAN3Config, state: Mapping[str, Tensor]) -> None:
    stylegan3_files.check_layers(config, StateShapes(state, "a StyleGAN3 generator"))


def _choose_clamp(config: Any, choices: Choices) -> Any:
    if choices.conv_clamp is None:
        return config
    clamp = stylegan2_files.chosen_clamp(choices.conv_clamp)
    if isinstance(config, StyleGAN2Config):
        return dataclasses.replace(config, conv_clamp=clamp)
    layers = tuple(dataclasses.replace(layer, conv_clamp=clamp) for layer in config.layers)
    return dataclasses.replace(config, layers=layers)


def _choose_genotype(config: autogan.AutoGANConfig, choices: Choices) -> autogan.AutoGANConfig:
    if choices.genotype is None:
        return config
    chosen = parse_genotype(choices.genotype)
    if chosen != config.genotype and not config.search_network:
        raise UserError("the genotype given is of another variant than its weights")
    return dataclasses.replace(config, genotype=chosen)


FAMILIES: list[Family] = [
    Family(
        "stylegan2",
        lambda state: "synthesis.b4.const" in state,
        lambda network, choices: _choose_clamp(stylegan2_files.generator_config(network), choices),
        StyleGAN2Config,
        StyleGAN2Generator,
        choose=_choose_clamp,
    ),
    Family(
        "stylegan_xl",
        lambda state: (
            "synthesis.input.freqs" in state
            and "mapping.embed.weight" in state
            and "mapping.embed.bias" not in state
        ),
        lambda network, choices: _choose_clamp(
            stylegan3_files.stylegan_xl_config(network), choices
        ),
        StyleGANXLConfig,
        StyleGANXLGenerator,
        _check_stylegan3,
        _choose_clamp,
    ),
    Family(
        "stylegan3",
        lambda state: "synthesis.input.freqs" in state,
        lambda network, choices: _choose_clamp(stylegan3_files.stylegan3_config(network), choices),
        StyleGAN3Config,
        StyleGAN3Generator,
        _check_stylegan3,
        _choose_clamp,
    ),
    Family(
        "fastgan",
        lambda state: "synthesis.init.init.0.weight_orig" in state,
        lambda network, _: fastgan.config_from_state(network.outline),
        fastgan.FastGANConfig,
        fastgan.FastGANGenerator,
    ),
    Family(
        "biggan",
        lambda state: {"blocks.0.0.conv1.weight", "output_layer.2.weight"} <= state.keys(),
        lambda network, choices: biggan.config_from_state(
            network.outline, batch_statistics=choices.batch_statistics
        ),
        biggan.BigGANConfig,
        biggan.BigGANGenerator,
        choose=lambda config, choices: dataclasses.replace(
            config, batch_statistics=config.batch_statistics or choices.batch_statistics
        ),
    ),
    Family(
        "autogan",
        lambda state: {"l1.weight", "to_rgb.2.weight"} <= state.keys(),
        lambda network, choices: autogan.config_from_state(
            network.outline, genotype=choices.genotype
        ),
        autogan.AutoGANConfig,
        autogan.AutoGANGenerator,
        choose=_choose_genotype,
    ),
    Family(
        "dcgan",
        _is_dcgan,
        lambda network, _: dcgan.config_from_state(network.outline),
        dcgan.DCGANConfig,
        dcgan.DCGANGenerator,
    ),
]
"""In the order in which they are asked whether they know a network."""


def family_of(network: Network) -> Family | None:
    """Give the family that knows a network's weights, None for none."""
    return next((family for family in FAMILIES if family.recognizes(network.outline)), None)


def find_family(name: Any) -> Family | None:
    """Give the family of this name, None for none."""
    return next((family for family in FAMILIES if family.name == name), None)
