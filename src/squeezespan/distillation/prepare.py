"""Everything a run needs before its first step, opened and checked while nothing is written yet."""

import sys
from dataclasses import dataclass

import torch

from squeezespan.config import DistillConfig
from squeezespan.data.normalize import Normalization, measure_normalization
from squeezespan.data.specs import find_images
from squeezespan.discriminators.features import (
    DiscriminatorBackbone,
    load_discriminator_backbone,
)
from squeezespan.discriminators.teacher import DiscriminatorTeacher
from squeezespan.distillation.images import RunImages, open_run_images
from squeezespan.distillation.resolution import SettledSizes, settle_sizes
from squeezespan.distillation.schedule import Plan, plan_run
from squeezespan.distillation.stream import Place, Stream, Views, source_widths
from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.registry import generator_sha256, load_generator, read_generator_header
from squeezespan.hardware import DTYPES, resolve_precision
from squeezespan.methods.base import Method
from squeezespan.methods.perceptual import PerceptualDistance, open_perceptual
from squeezespan.methods.registry import build_method
from squeezespan.models.batchnorm import convert_sync_batchnorm
from squeezespan.models.discriminators import named_discriminator
from squeezespan.randomness import derive_seed
from squeezespan.seen import inherited

__all__ = ["Parts", "open_stream", "prepare"]


@dataclass(frozen=True)
class Parts:
    """What a run is made of."""

    config: DistillConfig
    """The run's settings, with nothing left to settle."""
    sizes: SettledSizes
    """What becomes of the images' pixels."""
    images: RunImages
    normalization: Normalization
    generator: Generator | None
    """Frozen, on the run's device; None where no synthetic images are used."""
    gan_sha256: str | None
    """Of the generator's file."""
    saw: tuple[str, ...]
    """What the student has seen besides images without labels, by way of a teacher or of a
    perceptual distance."""
    method: Method
    """With fresh weights that depend on the seed alone."""
    plan: Plan
    discriminator: DiscriminatorBackbone | None = None
    """Frozen, on the run's device; None where no discriminator teaches."""

    @property
    def discriminator_sha256(self) -> str | None:
        """Of the discriminator's file."""
        if self.discriminator is None:
            return None
        sha256: str = self.discriminator.header["provenance"]["sha256"]
        return sha256


def prepare(config: DistillConfig, device: torch.device, world_size: int = 1) -> Parts:
    """Open the data and the generator and build the method.

    Args:
        config: the run's settings.
        device: of this process.
        world_size: number of processes; batch norms of more than one are synchronised.

    Raises:
        UserError: something in the settings is impossible, or a file cannot be used.
    """
    generator = _open_generator(config, device) if config.method.alpha else None
    discriminator = _open_discriminator(config, device)
    found = find_images(config.data, "train", test_share=config.images.test_share)
    config, sizes = settle_sizes(
        config, found.sizes, generator.info.resolution if generator else None
    )
    # Before the images are decoded, which may take minutes.
    perceptual = _open_perceptual(config, device)
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    widths = source_widths(config, generator) if generator else None
    real_widths = discriminator.network.widths if discriminator else None
    method = build_method(config, widths, generator, perceptual, real_widths)
    method.to(memory_format=torch.channels_last)
    if world_size > 1:
        convert_sync_batchnorm(method)
    images = open_run_images(config, device, found)
    plan = plan_run(config, len(images.train), world_size)
    if discriminator is not None:
        discriminator.prepare(images.train)
    if config.monitor.knn_every and images.knn is None:
        reason = "no class of two images, to hold one out"
        if images.label_problem:
            reason = f"no labels ({images.label_problem})"
        print(f"{config.data} has {reason}: the kNN monitor is off", file=sys.stderr)
    return Parts(
        config=config,
        sizes=sizes,
        images=images,
        normalization=measure_normalization(images.train),
        generator=generator,
        gan_sha256=generator_sha256(str(config.gan)) if generator else None,
        saw=(_seen_by(str(config.gan)) if generator else ())
        + (_seen_by_discriminator(discriminator) if discriminator else ())
        + ((perceptual.saw,) if perceptual else ()),
        method=method,
        plan=plan,
        discriminator=discriminator,
    )


def open_stream(config: DistillConfig, parts: Parts, place: Place) -> Stream:
    """Make the stream of a run's batches, with what its method asks for.

    Args:
        config: the run's settings.
        parts: what the run is made of.
        place: this process.
    """
    method = parts.method
    return Stream(
        config,
        parts.plan,
        parts.images.train,
        parts.generator,
        parts.normalization,
        place,
        views=Views(method.real_views, method.synthetic_views),
        needs_source=method.needs_source,
        needs_images=method.needs_images,
        real_teacher=_real_teacher(config, parts.discriminator, place.device),
    )


def _real_teacher(
    config: DistillConfig, discriminator: DiscriminatorBackbone | None, device: torch.device
) -> DiscriminatorTeacher | None:
    if discriminator is None:
        return None
    precision = resolve_precision(config.train.precision, device)
    return DiscriminatorTeacher(discriminator, DTYPES[precision])


def _open_perceptual(config: DistillConfig, device: torch.device) -> PerceptualDistance | None:
    if config.method.name != "encoding":
        return None
    opened = open_perceptual(config.method.perceptual, config.images.side)
    return None if opened is None else opened.to(device)


def _seen_by(gan: str) -> tuple[str, ...]:
    return inherited(read_generator_header(gan).get("provenance"), f"the GAN {gan}")


def _seen_by_discriminator(discriminator: DiscriminatorBackbone) -> tuple[str, ...]:
    provenance = discriminator.header["provenance"]
    return inherited(provenance, f"the discriminator {provenance['discriminator']}")


def _open_discriminator(
    config: DistillConfig, device: torch.device
) -> DiscriminatorBackbone | None:
    named = named_discriminator(config.discriminator or "")
    return None if named is None else load_discriminator_backbone(*named, device)


def _open_generator(config: DistillConfig, device: torch.device) -> Generator:
    if config.gan is None:
        raise UserError("no generator is given; name one with --gan FILE")
    generator = load_generator(config.gan, device, **config.opening.choices())
    if generator.info.channels not in (1, 3):
        raise UserError(
            f"{config.gan} makes images of {generator.info.channels} channels; "
            "a student needs RGB or grey images"
        )
    generator.to(memory_format=torch.channels_last)
    generator.set_compute_dtype(DTYPES[resolve_precision(config.train.precision, device)])
    return generator
