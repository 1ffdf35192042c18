"""Scores of a GAN on its way, against real images that it never saw."""

from collections.abc import Sequence

import torch

from squeezespan.data.images import ImageSet
from squeezespan.data.order import split_holdout
from squeezespan.errors import UserError
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.scoring.distances import frechet_distance, kernel_interval, precision_recall
from squeezespan.gan.scoring.features import FeatureExtractor
from squeezespan.gan.scoring.judges import open_judges
from squeezespan.gan.scoring.score import generated_statistics, real_statistics
from squeezespan.generators.base import Generator

__all__ = ["SnapshotScores", "hold_out"]

_FEWEST_HELD_OUT = 100
_SPLIT_SEED = 0
"""Of which images are held out: the same in every run, so that runs can be compared."""


class SnapshotScores:
    """Compares what a generator draws with held-out images.

    Args:
        judges: networks whose features are compared, the deciding one first.
        held_out: real images of the generator's resolution.
        count: images to draw.
        device: where networks run.
    """

    def __init__(
        self,
        judges: Sequence[FeatureExtractor],
        held_out: ImageSet,
        count: int,
        device: torch.device,
    ) -> None:
        self._judges = [judge.to(device) for judge in judges]
        self._held_out = held_out
        self._count = count

    @property
    def headline(self) -> str:
        """Name of the number that tells which snapshot is the best: the lowest."""
        return self._judges[0].names.kernel

    def measure(self, generator: Generator) -> dict[str, float]:
        """Give kernel distance with its 95% interval, Frechet distance, precision and recall.

        The same latents are drawn every time.
        """
        scores: dict[str, float] = {}
        for judge in self._judges:
            names = judge.names
            real = real_statistics(self._held_out, judge, quiet=True)
            drawn = generated_statistics(generator, judge, num_images=self._count, quiet=True)
            kernel = kernel_interval(real.features, drawn.features)
            manifolds = precision_recall(real.features, drawn.features)
            scores |= {
                names.kernel: kernel.distance,
                f"{names.kernel}_low": kernel.low,
                f"{names.kernel}_high": kernel.high,
                names.frechet: frechet_distance(
                    real.mean, real.covariance, drawn.mean, drawn.covariance
                ),
                names.precision: manifolds.precision,
                names.recall: manifolds.recall,
            }
        return scores


def hold_out(
    config: GanTrainConfig, images: ImageSet, device: torch.device
) -> tuple[ImageSet, SnapshotScores | None]:
    """Divide the images into those to train on and those to score with, where scores are asked for.

    Args:
        config: the run's settings.
        images: all images of the train split.
        device: where networks run.

    Raises:
        UserError: too few images to hold some out, or a judge that is not usable.
    """
    monitor = config.monitor
    if not monitor.score_images:
        return images, None
    kept, held_out = split_holdout(len(images), monitor.held_out, _SPLIT_SEED, None)
    if min(len(held_out), monitor.score_images) < _FEWEST_HELD_OUT:
        raise UserError(
            f"scores need {_FEWEST_HELD_OUT} images on each side, but {len(held_out)} are held out "
            f"and {monitor.score_images} drawn; raise --monitor.held-out or "
            "--monitor.score-images, or leave scores out with --monitor.score-images 0"
        )
    judges = open_judges(monitor.judges)
    scores = SnapshotScores(judges, images.subset(held_out), monitor.score_images, device)
    return images.subset(kept), scores
