"""A generator, a discriminator and students that see the same images, for what compares them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.data.specs import find_images
from squeezespan.discriminators.files import load_discriminator
from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.errors import UserError
from squeezespan.evaluation.analysis_options import LayerKind, NetworkOptions
from squeezespan.evaluation.layers import Layers, generator_layers
from squeezespan.files import expanded
from squeezespan.generators.base import Generated, Generator, as_rgb
from squeezespan.generators.batches import usual_batch
from squeezespan.generators.choices import Choices
from squeezespan.generators.registry import open_generator, say_assumptions
from squeezespan.hardware import resolve_device
from squeezespan.models.student_file import STUDENT_FILE, Backbone, load_backbone
from squeezespan.randomness import StepRandom

__all__ = ["Networks", "Seen", "for_discriminator", "for_student"]


class Seen(NamedTuple):
    """Some images, and what their generator says of them."""

    images: Tensor
    """float32 [B, C, R, R], nominally in [-1, 1]."""
    generated: Generated | None
    """None for real images."""
    layers: Layers
    """Of the generator; empty for real images."""
    labels: Tensor | None = None
    """Classes that a conditional generator was told, int64 [B]."""


@dataclass(frozen=True)
class Networks:
    """What is compared, on one device."""

    options: NetworkOptions
    device: torch.device
    generator: Generator | None
    discriminator: StyleGAN2Discriminator | None
    students: dict[str, Backbone]
    """By the name of the run."""

    @classmethod
    def open(cls, options: NetworkOptions) -> "Networks":
        """Open the networks that the options name, in eval mode.

        Raises:
            UserError: one is missing, unreadable or foreign; two students have one name.
        """
        device = resolve_device(options.device)
        generator = discriminator = None
        if options.gan is not None:
            opened = open_generator(options.gan, device, Choices(**options.opening.choices()))
            say_assumptions(options.gan, opened)
            generator = opened.generator
        if options.discriminator is not None:
            discriminator = load_discriminator(options.discriminator, device)
        names = _names(options.student)
        students = {
            name: load_backbone(expanded(path), device)
            for name, path in zip(names, options.student, strict=True)
        }
        return cls(options, device, generator, discriminator, students)

    def generate(self, count: int, step: int, kind: LayerKind) -> Iterator[Seen]:
        """Generate `count` images, some at a time; those of a step are always the same."""
        generator, options = self.generator, self.options
        assert generator is not None
        # A power of 2, for the groups in which a discriminator looks at images.
        at_a_time = 1 << (usual_batch(generator.info).bit_length() - 1)
        random = StepRandom(options.seed, step, stream="analysis-latents")
        latents = generator.sample_latents(count, random)
        for start in range(0, count, at_a_time):
            noise = StepRandom(
                options.seed, step * count + start, stream="analysis-noise", device=self.device
            )
            part = latents.slice(start, start + at_a_time).to(self.device)
            generated, layers = generator_layers(
                generator,
                part,
                kind,
                truncation=options.truncation,
                noise=options.noise,
                random=noise,
            )
            yield Seen(generated.images, generated, layers, part.labels)

    def find_real(self, data: str, split: Literal["train", "test"]) -> ImageSet:
        """Open real images at the largest side that one of these networks takes.

        Raises:
            UserError: no such images.
        """
        sides = [backbone.resolution for backbone in self.students.values()]
        if self.discriminator is not None:
            sides.append(self.discriminator.config.resolution)
        found = find_images(data, split)
        return found.load(max(sides), device=self.device, num_workers=self.options.num_workers)


def for_student(images: Tensor, backbone: Backbone) -> Tensor:
    """Bring images [B, C, R, R] in [-1, 1] to what a student takes: RGB in [0, 1] of its size."""
    return _resized(as_rgb(((images + 1) / 2).clamp(0, 1)), backbone.resolution)


def for_discriminator(images: Tensor, discriminator: StyleGAN2Discriminator) -> Tensor:
    """Bring images [B, C, R, R] in [-1, 1] to the size that a discriminator takes."""
    return _resized(images, discriminator.config.resolution)


def _resized(images: Tensor, side: int) -> Tensor:
    size = images.shape[-1]
    if size == side:
        return images
    return F.interpolate(
        images, size=side, mode="bilinear", align_corners=False, antialias=size > side
    )


def _names(students: Sequence[str]) -> list[str]:
    """Name students by their runs' folders."""
    names = []
    for student in students:
        path = Path(expanded(student)).resolve()
        names.append(path.parent.name if path.name == STUDENT_FILE else path.stem)
    if len(set(names)) < len(names):
        raise UserError(f"two students have one name: {', '.join(names)}; rename a folder")
    return names
