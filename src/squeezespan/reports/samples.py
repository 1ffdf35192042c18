"""Images for a report: what the student was shown, and how."""

from dataclasses import dataclass

import torch
from torch import Tensor

from squeezespan.config import DistillConfig
from squeezespan.data.augment import Augment, weaker
from squeezespan.data.images import ImageSet
from squeezespan.data.pixels import unit_to_uint8
from squeezespan.gan.samples import to_uint8
from squeezespan.generators.base import Generator, as_rgb
from squeezespan.randomness import StepRandom

__all__ = ["Samples", "draw_samples"]


@dataclass(frozen=True)
class Samples:
    """Images of one kind with views of the first of them, uint8 on the CPU."""

    images: Tensor
    """[N, 3, R, R]."""
    views: tuple[Tensor, Tensor]
    """Two augmented views [M, 3, R, R] of the first M images."""


def draw_samples(
    config: DistillConfig,
    source: ImageSet | Generator,
    *,
    count: int = 40,
    viewed: int = 8,
) -> Samples:
    """Draw images as a run sees them.

    Args:
        config: settings of the run: augmentation, resolution, truncation and noise.
        source: real images, or the generator (on any device).
        count: images at most.
        viewed: how many of them to show augmented.
    """
    seed = config.train.seed
    settings = config.augment
    if isinstance(source, Generator):
        images = _generate(source, config, count)
        settings = weaker(settings, settings.synthetic)
    else:
        chosen = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))
        images = source.batch(chosen[:count]).cpu()
    augment = Augment(settings, config.images.side)
    kind = type(source).__name__
    first, second = (
        unit_to_uint8(augment(images[:viewed], StepRandom(seed, view, stream=f"report-{kind}")))
        for view in range(2)
    )
    return Samples(images, (first, second))


@torch.no_grad()
def _generate(generator: Generator, config: DistillConfig, count: int) -> Tensor:
    device = generator.device
    random = StepRandom(config.train.seed, stream="report-latents", device=device)
    generated = generator(
        generator.sample_latents(count, random),
        truncation=config.source.truncation,
        noise=config.source.noise,
        random=random,
    )
    return as_rgb(to_uint8(generated.images)).cpu()
