"""The real images of a run: those to learn from, and those that the kNN monitor looks at."""

from dataclasses import dataclass

import torch

from squeezespan.config import DistillConfig
from squeezespan.data.images import ImageSet, join_images
from squeezespan.data.order import draw_some, split_holdout
from squeezespan.data.specs import FoundImages, find_images, open_images

__all__ = ["KnnImages", "RunImages", "open_run_images"]

_HOLDOUT_SEED = 0
"""One split and one limit for all seeds of a run, so that they are trained on the same images."""


@dataclass(frozen=True)
class KnnImages:
    """Labelled images at the student's resolution."""

    neighbors: ImageSet
    """Of the images to learn from."""
    queries: ImageSet
    """Of the images held out."""


@dataclass(frozen=True)
class RunImages:
    """What a run reads of its data set."""

    train: ImageSet
    """To learn from; labels are not used."""
    held_out: int
    """Images kept out of training."""
    label_problem: str
    """Why the data set has no labels; empty where it has. Training doesn't look at them."""
    knn: KnnImages | None
    """None where the monitor is off, or there are no labels or no held-out images."""


def open_run_images(
    config: DistillConfig, device: torch.device, found: FoundImages | None = None
) -> RunImages:
    """Decode the train split, and divide it into images to learn from and images held out.

    Args:
        config: the run's settings, with their resolution settled.
        device: where batches are given.
        found: the images of the train split, where they are listed already.

    Raises:
        UserError: the data cannot be read.
    """
    settings = config.images
    workers = config.train.num_workers
    found = found or find_images(config.data, "train", test_share=settings.test_share)
    side = settings.load_resolution or found.sizes.square or settings.side
    whole = found.load(side, device=device, num_workers=workers)
    kept, held_out = split_holdout(len(whole), settings.holdout, _HOLDOUT_SEED, whole.labels)
    train = whole.subset(kept)
    if settings.unlabeled:
        more = open_images(
            config.data,
            "unlabeled",
            resolution=whole.resolution,
            device=device,
            num_workers=workers,
        )
        train = join_images([train, more])
    if settings.limit is not None:
        train = train.subset(draw_some(len(train), settings.limit, _HOLDOUT_SEED))
    if not config.monitor.knn_every or whole.labels is None or not len(held_out):
        return RunImages(train, len(held_out), whole.label_problem, None)
    fitting = whole
    if whole.resolution != settings.side:
        fitting = found.load(settings.side, device=device, num_workers=workers)
    limit = config.monitor.knn_images
    knn = KnnImages(fitting.subset(_thin(kept, limit)), fitting.subset(_thin(held_out, limit)))
    return RunImages(train, len(held_out), whole.label_problem, knn)


def _thin(indices: torch.Tensor, limit: int) -> torch.Tensor:
    """Take at most `limit` indices, evenly spaced, so that classes keep their shares."""
    count = min(limit, len(indices))
    return indices[torch.arange(count) * len(indices) // max(count, 1)]
