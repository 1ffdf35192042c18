"""The batch of every step, a pure function of (seed, step, process): nothing to save or restore."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from squeezespan.config import AugmentConfig, DistillConfig
from squeezespan.data.augment import Augment, weaker
from squeezespan.data.normalize import Normalization
from squeezespan.data.order import epoch_order
from squeezespan.discriminators.teacher import DiscriminatorTeacher
from squeezespan.distillation.pool import Drawn, Pool, pool_steps
from squeezespan.distillation.schedule import Plan
from squeezespan.generators.base import Generated, Generator, Latents, as_rgb
from squeezespan.generators.blocks import pool_features, select_blocks
from squeezespan.methods.base import Batch
from squeezespan.methods.encoding import WPLUS
from squeezespan.randomness import StepRandom

__all__ = ["Images", "Place", "Stream", "Views", "source_widths"]

_SOURCES_AT_ONCE = 50


class Images(Protocol):
    """Real images, read by index."""

    def __len__(self) -> int:
        """Number of images."""

    def batch(self, indices: Tensor) -> Tensor:
        """Give the images at `indices`, uint8 [B, 3, R, R]."""


class Views(NamedTuple):
    """How many views of each image a batch holds."""

    real: int = 2
    synthetic: int = 1


@dataclass(frozen=True)
class Place:
    """Which part of the global batch this process works on, and where."""

    rank: int
    world_size: int
    device: torch.device


def source_widths(config: DistillConfig, generator: Generator) -> dict[str, int]:
    """Give the widths of what the student learns from, in order, as a batch's `source` holds it.

    Raises:
        UserError: a block that the generator does not have.
    """
    info = generator.info
    if config.method.name == "encoding":
        return {WPLUS: info.num_ws * info.w_dim}
    if config.source.kind == "latent":
        return {"w": info.w_dim}
    channels, widths = info.block_channels, dict[str, int]()
    for name in select_blocks(config.source.blocks, list(channels)):
        widths[name] = channels[name]
        if config.source.statistics == "mean-std":
            widths[f"{name}-std"] = channels[name]
    return widths | ({"w": info.w_dim} if config.source.latent else {})


class Stream:
    """Makes the batches of a run.

    Real images come in passes over the whole set, each in its own order; what is left of a pass
    after its last full batch is skipped. Synthetic images are new at every step, unless
    `source.reuse` lets them serve in several. With `optim.accumulate`, each process makes its
    share in that many parts; all parts of all processes together are the batch that one process
    alone would make.

    Args:
        config: the run's settings.
        plan: sizes of the batch.
        images: real images to learn from; not read where the batch holds none.
        generator: frozen, on the device of `place`; None where no synthetic images are used.
        normalization: what the student expects.
        place: this process.
        views: of each image that the method wants.
        needs_source: whether the method wants block features or latents.
        needs_images: whether the method wants the images without augmentation, too.
        real_teacher: says something of each real image, where the method wants that.
    """

    def __init__(
        self,
        config: DistillConfig,
        plan: Plan,
        images: Images,
        generator: Generator | None,
        normalization: Normalization,
        place: Place,
        *,
        views: Views,
        needs_source: bool,
        needs_images: bool = False,
        real_teacher: DiscriminatorTeacher | None = None,
    ) -> None:
        self._config = config
        self._plan = plan
        self._images = images
        self._generator = generator
        self._normalization = normalization
        self._place = place
        self._views = views
        self._needs_images = needs_images
        self._real_teacher = real_teacher
        self._augment = Augment(config.augment, config.images.side)
        weak = weaker(config.augment, config.augment.synthetic)
        self._augment_synthetic = Augment(weak, config.images.side)
        self._resize = Augment(AugmentConfig(enabled=False), config.images.side)
        self._needs_source = needs_source
        self._pass: tuple[int, Tensor] | None = None
        self.pool: Pool | None = None
        """Of synthetic images that serve in several steps; None where all are new."""
        if generator is not None and config.source.reuse > 1:
            held = pool_steps(plan.synthetic_batch, generator.info.resolution)
            self.pool = Pool(held, config.source.reuse)

    @torch.no_grad()
    def batch(self, step: int, part: int = 0) -> Batch:
        """Make this process's share of the batch of one step.

        Args:
            step: optimiser steps done before.
            part: micro-batch, 0 to `optim.accumulate` - 1.
        """
        batch = Batch()
        if self._plan.real_batch:
            self._add_real(batch, step, part)
        if self._generator is not None and self._plan.synthetic_batch:
            self._add_synthetic(batch, step, part)
        return batch

    def _add_real(self, batch: Batch, step: int, part: int) -> None:
        share, count = self._share(part)
        n = self._plan.real_batch // count
        indices = self._indices(step)[share * n : (share + 1) * n]
        images = self._images.batch(indices).to(self._place.device)
        batch.real_views = tuple(
            self._view(self._augment, images, step, part, f"augment-real-{view}")
            for view in range(self._views.real)
        )
        batch.real_images = self._plain(images)
        if self._real_teacher is not None:
            batch.real_source = self._real_teacher(images)

    def _indices(self, step: int) -> Tensor:
        """Real images of the whole global batch, int64 [real_batch]."""
        size, total = self._plan.real_batch, self._plan.train_images
        number, position = divmod(step, total // size)
        if self._pass is None or self._pass[0] != number:
            self._pass = (number, epoch_order(total, number, self._config.train.seed))
        return self._pass[1][position * size : (position + 1) * size]

    def _add_synthetic(self, batch: Batch, step: int, part: int) -> None:
        drawn = self._drawn(step, part)
        batch.synthetic_views = tuple(
            self._view(self._augment_synthetic, seen, step, part, f"augment-synthetic-{view}")
            for view, seen in enumerate(drawn.viewed(self._views.synthetic))
        )
        batch.synthetic_images = self._plain(drawn.images)
        batch.source = drawn.source

    def _drawn(self, step: int, part: int) -> Drawn:
        """Draw images for a step, or give those that it shares with an earlier one."""
        if self.pool is None:
            return self._draw(step, part)
        return self.pool.get(step, part, self._draw)

    def _draw(self, number: int, part: int) -> Drawn:
        n = self._plan.synthetic_batch // self._share(part)[1]
        latents = self._latents(n, self._random(number, part, "latents"))
        generated = self._generate(latents, self._random(number, part, "noise"))
        near = None
        if self._config.source.nearby:
            by = self._config.source.nearby
            moved = latents.nearby(by, self._random(number, part, "nearby"))
            near = _pixels(self._generate(moved, self._random(number, part, "nearby-noise")))
        return Drawn(_pixels(generated), near, self._source(generated))

    @torch.no_grad()
    def sources(self, count: int) -> Iterator[dict[str, Tensor]]:
        """Give what the generator knows of `count` images that no step sees, batch by batch.

        They depend on the seed alone and are the same on every process.
        """
        for number, first in enumerate(range(0, count, _SOURCES_AT_ONCE)):
            latents, noise = (
                StepRandom(
                    self._config.train.seed,
                    number,
                    stream=f"statistics-{kind}",
                    device=self._place.device,
                )
                for kind in ("latents", "noise")
            )
            drawn = self._latents(min(_SOURCES_AT_ONCE, count - first), latents)
            source = self._source(self._generate(drawn, noise))
            assert source is not None
            yield source

    @property
    def real_images(self) -> int:
        """Number of real images to learn from."""
        return self._plan.train_images

    @torch.no_grad()
    def real_sources(self, count: int) -> Iterator[dict[str, Tensor]]:
        """Give what the discriminator says of `count` of the real images, batch by batch.

        They are evenly spaced among the images to learn from, whatever the seed.
        """
        assert self._real_teacher is not None
        total = self.real_images
        for rows in torch.split(torch.arange(count) * total // count, _SOURCES_AT_ONCE):
            yield self._real_teacher(self._images.batch(rows).to(self._place.device))

    def _latents(self, n: int, random: StepRandom) -> Latents:
        assert self._generator is not None
        return self._generator.sample_latents(n, random)

    def _generate(self, latents: Latents, noise: StepRandom) -> Generated:
        assert self._generator is not None
        settings = self._config.source
        generated: Generated = self._generator(
            latents,
            truncation=settings.truncation,
            noise=settings.noise,
            random=noise,
        )
        return generated

    def _source(self, generated: Generated) -> dict[str, Tensor] | None:
        settings = self._config.source
        if not self._needs_source:
            return None
        if self._config.method.name == "encoding":
            return {WPLUS: generated.w.flatten(1).float()}
        latent = {"w": generated.w[:, 0].float()}
        if settings.kind == "latent":
            return latent
        deviations = settings.statistics == "mean-std"
        pooled = pool_features(generated.features, settings.blocks, deviations=deviations)
        return pooled | (latent if settings.latent else {})

    def _plain(self, images: Tensor) -> Tensor | None:
        """The images without augmentation, where the method wants them."""
        return self._resize(images, StepRandom(0)) if self._needs_images else None

    def _view(self, augment: Augment, images: Tensor, step: int, part: int, stream: str) -> Tensor:
        # Parameters are drawn on the CPU, so that no step waits for the device.
        view = augment(images, self._random(step, part, stream, torch.device("cpu")))
        return self._normalization.normalize(view).contiguous(memory_format=torch.channels_last)

    def _share(self, part: int) -> tuple[int, int]:
        """Give which share of the global batch a part is, and how many there are."""
        parts = self._config.optim.accumulate
        return self._place.rank * parts + part, self._place.world_size * parts

    def _random(
        self, step: int, part: int, stream: str, device: torch.device | None = None
    ) -> StepRandom:
        share, count = self._share(part)
        return StepRandom(
            self._config.train.seed,
            step,
            stream=stream,
            rank=share,
            world_size=count,
            device=device or self._place.device,
        )


def _pixels(generated: Generated) -> Tensor:
    """What a generator drew, as RGB, float32 [B, 3, R, R] in [0, 1]."""
    return as_rgb(((generated.images.float() + 1) / 2).clamp_(0, 1))
