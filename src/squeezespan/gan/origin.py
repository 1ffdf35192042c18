"""Starting a GAN training from networks that were trained before."""

import dataclasses
from typing import Any, NamedTuple, TypeVar

from torch import Tensor

from squeezespan.discriminators.files import load_discriminator, read_discriminator_provenance
from squeezespan.discriminators.projected.files import load_projected
from squeezespan.discriminators.projected.network import ProjectedDiscriminator
from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.errors import UserError
from squeezespan.gan.conditioning import conditional_discriminator, conditional_generator
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.projected_step import AnyStep, ProjectedStep
from squeezespan.generators.base import Generator
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.registry import (
    generator_sha256,
    load_generator,
    read_generator_header,
)
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.seen import inherited
from squeezespan.settings import flatten
from squeezespan.untrusted.wording import shown

__all__ = ["Origin", "open_origin", "sizes_as_started"]

Section = TypeVar("Section")
AnyNetwork = StyleGAN2Generator | FastGANGenerator | StyleGAN2Discriminator | ProjectedDiscriminator
_OF_CLASSES = ("num_classes", "mapping_layers", "mapping_lr_multiplier")
"""What an unconditional discriminator has no use for."""


class Origin(NamedTuple):
    """Trained networks that a new training starts from."""

    config: GanTrainConfig
    """The run's settings, with the sizes of the networks where they left them open."""
    generator: StyleGAN2Generator | FastGANGenerator | None
    discriminator: StyleGAN2Discriminator | ProjectedDiscriminator | None

    def start(self, gan: AnyStep) -> None:
        """Give the networks of a new training the weights of the trained ones.

        The generator in training and its weight average begin equal; optimizers begin empty.
        Conditional networks may begin as unconditional ones of StyleGAN2.

        Args:
            gan: the networks; what they were started from becomes `gan.origin`.

        Raises:
            UserError: a network is of another size, or judges other features.
        """
        init = self.config.init
        story: dict[str, Any] = {}
        saw: list[str] = []
        if self.generator is not None and init.generator is not None:
            state = _state(init.generator, "generator", gan.generator, self.generator)
            for network in (gan.generator, gan.average):
                network.load_state_dict(state)
            provenance = read_generator_header(init.generator).get("provenance", {})
            story["generator"] = init.generator
            story["generator_sha256"] = generator_sha256(init.generator)
            story["kimg"] = provenance.get("total_kimg", provenance.get("kimg"))
            saw += inherited(provenance, init.generator)
        if self.discriminator is not None and init.discriminator is not None:
            provenance = read_discriminator_provenance(init.discriminator)
            if isinstance(gan, ProjectedStep):
                _check_features(init.discriminator, gan, provenance)
            state = _state(
                init.discriminator, "discriminator", gan.discriminator, self.discriminator
            )
            gan.discriminator.load_state_dict(state)
            story["discriminator"] = init.discriminator
            saw += inherited(provenance, init.discriminator)
        if saw:
            story["saw"] = saw
        gan.origin = story


def open_origin(config: GanTrainConfig) -> Origin:
    """Open what `config.init` names, and take its sizes where `config` leaves them open.

    Resolution `auto` and sizes that have their default value become those of the network.

    Raises:
        UserError: a file is not usable, or `config` asks for another size.
    """
    init = config.init
    generator = discriminator = None
    if init.generator is not None:
        opened = load_generator(init.generator)
        generator = _trainable(init.generator, opened, config)
        sizes = _take_sizes(init.generator, config.generator, generator.config, "generator")
        config = dataclasses.replace(config, generator=sizes)
        if config.resolution == "auto":
            config = dataclasses.replace(config, resolution=generator.info.resolution)
    if init.discriminator is not None:
        if config.discriminator.family == "projected":
            return Origin(config, generator, load_projected(init.discriminator)[0])
        discriminator = load_discriminator(init.discriminator)
        found = discriminator.config
        taken = _take_sizes(init.discriminator, config.discriminator, found, "discriminator")
        config = dataclasses.replace(config, discriminator=taken)
    return Origin(config, generator, discriminator)


def sizes_as_started(config: GanTrainConfig, saved: GanTrainConfig) -> GanTrainConfig:
    """Take the sizes that `config` leaves open from a run that was started like this.

    Args:
        config: settings of the run that goes on.
        saved: those that it was started with.
    """
    if config.init != saved.init:
        return config
    if config.init.generator is not None:
        config = dataclasses.replace(config, generator=_fill(config.generator, saved.generator))
    if config.init.discriminator is not None:
        taken = _fill(config.discriminator, saved.discriminator)
        config = dataclasses.replace(config, discriminator=taken)
    return config


def _take_sizes(file: str, wanted: Section, found: Any, section: str) -> Section:
    taken = _fill(wanted, found)
    for name, value in vars(taken).items():
        if value != getattr(found, name, value):
            raise _other_size(file, name, getattr(found, name), value, section)
    return taken


def _fill(wanted: Section, found: Any) -> Section:
    """Put a network's sizes in the place of defaults."""
    default = type(wanted)()
    open_names = [name for name, value in vars(default).items() if getattr(wanted, name) == value]
    changes = {name: getattr(found, name) for name in open_names if hasattr(found, name)}
    return dataclasses.replace(wanted, **changes)  # type: ignore[type-var]


def _trainable(
    file: str, opened: Generator, config: GanTrainConfig
) -> StyleGAN2Generator | FastGANGenerator:
    """Give an opened generator, if it is of the family that the run trains."""
    family = opened.info.family
    if isinstance(opened, FastGANGenerator) and opened.config.lite:
        family = "fastgan-lite"
    wanted = config.generator.family
    if not isinstance(opened, StyleGAN2Generator | FastGANGenerator) or family != wanted:
        raise UserError(f"{file} is a {family}, but the run trains a {wanted} (--generator.family)")
    return opened


def _check_features(file: str, gan: ProjectedStep, provenance: dict[str, Any]) -> None:
    features = provenance.get("features")
    judged = features if isinstance(features, dict) else {}
    if judged.get("weights_sha256") != gan.features.sha256:
        raise UserError(
            f"{file} judges the features of {shown(judged.get('network'))}, not those of "
            f"{gan.features.origin.name} with its weights (--projected.features)"
        )


def _state(file: str, section: str, fresh: AnyNetwork, trained: AnyNetwork) -> dict[str, Tensor]:
    """Give the weights of a trained network to a new one, which may have classes beyond it."""
    if fresh.config.num_classes and not trained.config.num_classes:
        if isinstance(fresh, StyleGAN2Generator) and isinstance(trained, StyleGAN2Generator):
            _check_sizes(file, fresh.config, trained.config, section, ("num_classes",))
            return conditional_generator(fresh, trained)
        if isinstance(fresh, StyleGAN2Discriminator) and isinstance(
            trained, StyleGAN2Discriminator
        ):
            _check_sizes(file, fresh.config, trained.config, section, _OF_CLASSES)
            return conditional_discriminator(fresh, trained)
    _check_sizes(file, fresh.config, trained.config, section)
    return trained.state_dict()


def _check_sizes(
    file: str, wanted: Any, found: Any, section: str, free: tuple[str, ...] = ()
) -> None:
    """Compare all that decides on the weights' shapes and on what they compute, but for `free`."""
    has = flatten(found)
    for name, value in flatten(wanted).items():
        if has[name] != value and name not in free:
            raise _other_size(file, name, has[name], value, section)


def _other_size(file: str, name: str, has: object, wanted: object, section: str) -> UserError:
    return UserError(
        f"{file} has {name} {has}, but the run's settings say {wanted}; leave out the sizes of its "
        f"{section} section, or give those of the trained network"
    )
