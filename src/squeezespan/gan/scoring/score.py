"""The score of a generator against real images."""

import io
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.errors import StorageError, UserError
from squeezespan.gan.samples import check_finite
from squeezespan.gan.scoring.distances import frechet_distance, kernel_distance, precision_recall
from squeezespan.gan.scoring.features import EfficientNetLite0, FeatureExtractor
from squeezespan.gan.scoring.statistics import (
    FeatureStatistics,
    load_statistics,
    save_statistics,
    summarize,
)
from squeezespan.generators.base import Generator, Latents, NoiseMode
from squeezespan.progress import Progress
from squeezespan.randomness import StepRandom, derive_seed

__all__ = ["generated_statistics", "real_statistics", "score_generator"]

# Latents are drawn this many at a time on the CPU, so that neither the batch size nor the device
# changes which images are scored.
_LATENT_CHUNK = 1000
_FEWEST_IMAGES = 4
"""Precision and recall need a third neighbour."""


def score_generator(
    generator: Generator,
    images: ImageSet,
    *,
    num_images: int = 50_000,
    num_real: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    batch_size: int = 64,
    extractor: FeatureExtractor | None = None,
    truncation: float = 1.0,
    noise: NoiseMode = "random",
) -> dict[str, Any]:
    """Compare a generator's images with real ones.

    The Frechet distance falls with more images: compare scores of equal `num_images` only. Kernel
    distance, precision and recall are taken on at most 10,000 images of each side.

    Args:
        generator: moved to `device`, run in eval mode, left in the mode that it was in.
        images: the real images, at the generator's resolution.
        num_images: generated images.
        num_real: real images, a random choice that doesn't depend on `seed`; None takes all.
        seed: draws latents, noise and the subsets of the kernel distance.
        device: where networks run.
        batch_size: images at a time; with `noise="random"` it changes the noise that is drawn.
        extractor: whose features are compared; EfficientNet-Lite0 in float32 if None.
        truncation: pulls `w` towards its average; 1 leaves it alone.
        noise: per-pixel noise of families that have it.

    Returns:
        Numbers under the extractor's `names` (`frechet_efficientnet_lite0`, ...) and everything
        that they depend on, ready for JSON.

    Raises:
        UserError: resolutions differ, there are too few images, or the generator is broken.
    """
    if images.resolution != generator.info.resolution:
        raise UserError(
            f"the generator makes {generator.info.resolution} pixel images, the real ones have "
            f"{images.resolution}: open the data at the generator's resolution"
        )
    if generator.info.channels not in (1, 3):
        raise UserError(f"cannot score images of {generator.info.channels} channels, only RGB")
    available = len(images) if num_real is None else min(num_real, len(images))
    if min(available, num_images) < _FEWEST_IMAGES:
        raise UserError(f"a score needs at least {_FEWEST_IMAGES} images on each side")
    started = time.perf_counter()
    extractor = (extractor or EfficientNetLite0()).to(device)
    real = real_statistics(images, extractor, num_real=num_real, batch_size=batch_size)
    generated = generated_statistics(
        generator,
        extractor,
        num_images=num_images,
        seed=seed,
        batch_size=batch_size,
        labels=_label_pool(generator, images),
        truncation=truncation,
        noise=noise,
    )
    names = extractor.names
    # MPS has no float64.
    where = "cpu" if torch.device(device).type == "mps" else device
    sides = (real.features.to(where), generated.features.to(where))
    kernel = kernel_distance(*sides, seed=seed)
    manifolds = precision_recall(*sides)
    return {
        "metric": names.title,
        names.frechet: frechet_distance(
            real.mean, real.covariance, generated.mean, generated.covariance
        ),
        names.kernel: kernel.mean,
        f"{names.kernel}_std": kernel.std,
        names.precision: manifolds.precision,
        names.recall: manifolds.recall,
        "num_images": generated.count,
        "num_real": real.count,
        "data": images.name,
        "resolution": images.resolution,
        "extractor": extractor.key,
        "truncation": truncation,
        "noise": noise,
        "seed": seed,
        "batch_size": batch_size,
        "device": str(device),
        "torch": torch.__version__,
        "seconds": round(time.perf_counter() - started, 2),
    }


def real_statistics(
    images: ImageSet,
    extractor: FeatureExtractor,
    *,
    num_real: int | None = None,
    batch_size: int = 64,
    quiet: bool = False,
) -> FeatureStatistics:
    """Statistics of real images, from the cache where it has them.

    Args:
        images: the real images.
        extractor: on the device where it shall run.
        num_real: how many images, chosen at random with a fixed seed; None takes all.
        batch_size: images at a time.
        quiet: show no progress, beside that of a training.
    """
    count = len(images) if num_real is None else min(num_real, len(images))
    key = "\n".join([images.name, images.fingerprint(), extractor.key, str(count)])
    cached = load_statistics(key)
    if cached is not None:
        return cached
    random = torch.Generator().manual_seed(derive_seed("real-statistics"))
    order = torch.randperm(len(images), generator=random)[:count]
    device = next(extractor.parameters()).device

    def features() -> Iterator[Tensor]:
        with _progress(count, "real features", quiet) as progress:
            for indices in torch.split(order, batch_size):
                yield extractor(images.batch(indices).to(device))
                progress.update(len(indices))

    statistics = summarize(features())
    try:
        save_statistics(key, statistics)
    except (OSError, StorageError, UserError) as error:
        print(f"squeezespan: real features are not kept for next time: {error}", file=sys.stderr)
    return statistics


def generated_statistics(
    generator: Generator,
    extractor: FeatureExtractor,
    *,
    num_images: int,
    seed: int = 0,
    batch_size: int = 64,
    labels: Tensor | None = None,
    truncation: float = 1.0,
    noise: NoiseMode = "random",
    quiet: bool = False,
) -> FeatureStatistics:
    """Statistics of generated images, rounded to 8 bits as if they had been saved.

    Args:
        generator: moved to the extractor's device.
        extractor: on the device where it shall run.
        num_images: how many images.
        seed: draws latents and noise.
        batch_size: images at a time.
        labels: class indices int64 [N] that labels are drawn from; None draws them as
            `Generator.sample_latents` does.
        truncation: as in `Generator.forward`.
        noise: as in `Generator.forward`.
        quiet: show no progress, beside that of a training.
    """
    device = next(extractor.parameters()).device
    was_training = generator.training
    generator.to(device).eval()

    def features() -> Iterator[Tensor]:
        with _progress(num_images, "generated features", quiet) as progress:
            for step, latents in enumerate(
                _latent_batches(generator, num_images, seed, batch_size, labels)
            ):
                random = StepRandom(seed, step, stream="score-noise", device=device)
                on_device = None if latents.labels is None else latents.labels.to(device)
                moved = Latents(latents.z.to(device), on_device)
                made = generator(moved, truncation=truncation, noise=noise, random=random)
                check_finite(made.images)
                yield extractor(_to_uint8(made.images))
                progress.update(len(latents.z))

    try:
        with torch.inference_mode():
            return summarize(features())
    finally:
        generator.train(was_training)


def _progress(count: int, description: str, quiet: bool) -> Progress:
    stream = io.StringIO() if quiet else None
    return Progress(count, unit="images", description=description, stream=stream)


def _latent_batches(
    generator: Generator, num_images: int, seed: int, batch_size: int, pool: Tensor | None
) -> Iterator[Latents]:
    for chunk in range(-(-num_images // _LATENT_CHUNK)):
        random = StepRandom(seed, chunk, stream="score-latents")
        labels = None
        if pool is not None:
            labels = pool[random.integers(_LATENT_CHUNK, high=len(pool))]
        z, labels = generator.sample_latents(_LATENT_CHUNK, random, labels)
        wanted = min(_LATENT_CHUNK, num_images - chunk * _LATENT_CHUNK)
        for start in range(0, wanted, batch_size):
            rows = slice(start, min(start + batch_size, wanted))
            yield Latents(z[rows], None if labels is None else labels[rows])


def _to_uint8(images: Tensor) -> Tensor:
    rounded = (images * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
    return rounded.expand(-1, 3, -1, -1)


def _label_pool(generator: Generator, images: ImageSet) -> Tensor | None:
    """The real labels, where they are the generator's classes: both sides get the same mixture.

    A generator that knows how often its classes occur needs none, and its classes may be others.
    """
    if generator.class_shares is not None or images.labels is None:
        return None
    if len(images.class_names) != generator.info.num_classes:
        return None
    return images.labels
