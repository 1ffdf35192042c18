"""Starting a GAN training from networks that were trained before."""

from typing import Any

from squeezespan.discriminators.files import load_discriminator
from squeezespan.errors import UserError
from squeezespan.gan.config import GanOriginConfig
from squeezespan.gan.step import GanStep
from squeezespan.generators.registry import (
    generator_sha256,
    load_generator,
    read_generator_header,
)
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.settings import flatten

__all__ = ["start_from"]


def start_from(gan: GanStep, origin: GanOriginConfig) -> None:
    """Give the networks of a new training the weights of trained ones.

    The generator in training and its weight average begin equal; optimizers begin empty.

    Args:
        gan: the networks; what it was started from becomes `gan.origin`.
        origin: files, or nothing to start from.

    Raises:
        UserError: a file is not usable, or its network is of another size.
    """
    story: dict[str, Any] = {}
    if origin.generator is not None:
        generator = load_generator(origin.generator)
        if not isinstance(generator, StyleGAN2Generator):
            raise UserError(
                f"{origin.generator} is a {generator.info.family}; gan train trains StyleGAN2"
            )
        _check_sizes(origin.generator, gan.generator.config, generator.config, "generator")
        for network in (gan.generator, gan.average):
            network.load_state_dict(generator.state_dict())
        provenance = read_generator_header(origin.generator).get("provenance", {})
        story["generator"] = origin.generator
        story["generator_sha256"] = generator_sha256(origin.generator)
        story["kimg"] = provenance.get("total_kimg", provenance.get("kimg"))
    if origin.discriminator is not None:
        discriminator = load_discriminator(origin.discriminator)
        _check_sizes(
            origin.discriminator,
            gan.discriminator.config,
            discriminator.config,
            "discriminator",
        )
        gan.discriminator.load_state_dict(discriminator.state_dict())
        story["discriminator"] = origin.discriminator
    gan.origin = story


def _check_sizes(file: str, wanted: Any, found: Any, section: str) -> None:
    """Compare all that decides on the weights' shapes and on what they compute."""
    has = flatten(found)
    for name, value in flatten(wanted).items():
        if has[name] != value:
            raise UserError(
                f"{file} has {name} {has[name]}, but the run's settings say {value}; give the "
                f"settings of the trained network (those of its {section} section)"
            )
