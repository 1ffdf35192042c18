"""The labelled images of a fine-tuning, and the probes on the features that it begins with."""

import hashlib
from dataclasses import dataclass, field

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.data.loading import DecodedImages
from squeezespan.data.specs import MEMORY_LIMIT, FoundImages
from squeezespan.data.views import CropAndFlip
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.fewshot import draw_shots
from squeezespan.evaluation.labels import require_labels
from squeezespan.evaluation.logistic import (
    LinearClassifier,
    Standardizer,
    choose_l2,
    fit_logistic,
)
from squeezespan.finetuning.config import FinetuneConfig
from squeezespan.models.student_file import Backbone
from squeezespan.randomness import StepRandom, derive_seed

__all__ = ["Labelled", "draw_labelled", "open_labelled"]

_REFERENCE = 5000
"""Train images, without their labels, on which features are standardized."""
_FEWEST_TO_CHOOSE_ON = 1000
"""Labelled images below which the probe's regularization is scikit-learn's, C = 1."""


@dataclass
class Labelled:
    """Labelled images and their features before fine-tuning."""

    images: ImageSet
    """At the backbone's resolution, [N]."""
    labels: Tensor
    """int64 [N] on the CPU."""
    class_names: list[str]
    features: Tensor
    """Of the backbone that it begins with, float32 [N, D]."""
    standardize: Standardizer
    l2: float
    """Of the probe."""
    precision: str
    _stored: CropAndFlip
    _places: Tensor
    """Of the images in what crops come from, int64 [N]."""
    _fitted: dict[bytes, LinearClassifier] = field(default_factory=dict)

    def views(self, rows: Tensor, random: StepRandom) -> Tensor:
        """Give one random view of each of some images, float32 [B, 3, R, R] in [0, 1]."""
        views = self._stored(self._places[rows], random)
        return views.contiguous(memory_format=torch.channels_last)

    def fit(self, rows: Tensor) -> LinearClassifier:
        """Fit the probe on some of the images."""
        key = hashlib.sha256(rows.numpy().tobytes()).digest()
        if key not in self._fitted:
            x, y = self.standardize(self.features[rows]), self.labels[rows]
            l2 = self.l2 or 1 / len(rows)
            self._fitted[key] = fit_logistic(x, y, len(self.class_names), l2)
        return self._fitted[key]

    def scores(self, probe: LinearClassifier, rows: Tensor) -> Tensor:
        """Give the scores that a probe has for some of the images, [n, classes]."""
        return probe(self.standardize(self.features[rows]))

    def compute_features(self, backbone: Backbone, rows: Tensor) -> Tensor:
        """Compute features of some of the images by what the backbone has become, on the CPU."""
        return extract_features(
            backbone,
            self.images.subset(rows),
            device=backbone.mean.device,
            precision=self.precision,
            progress=False,
        )


def open_labelled(config: FinetuneConfig, found: FoundImages, backbone: Backbone) -> Labelled:
    """Draw the labelled images, and compute what the probe needs of them.

    Args:
        config: settings, with the precision resolved.
        found: the train split.
        backbone: as it comes, on the device where everything runs.

    Raises:
        UserError: no labels, a class with too few images, or images that can't be decoded.
    """
    device, side = backbone.mean.device, backbone.resolution
    whole = DecodedImages(
        found.spec, found.source, side, device=device, num_workers=config.train.num_workers
    )
    labels = require_labels(whole, "train")
    rows = draw_labelled(config, labels)
    images = _resident(whole, rows)
    stored, places = _crop_source(config, found, images, rows, device)
    reference = whole.subset(torch.arange(0, len(whole), -(-len(whole) // _REFERENCE)))
    features = [
        extract_features(backbone, part, device=device, precision=config.train.precision)
        for part in (images, reference)
    ]
    if not all(part.isfinite().all() for part in features):
        raise UserError(
            f"the backbone gives features of {found.spec} that are not numbers (NaN): its "
            "training broke down"
        )
    standardize, chosen = Standardizer(features[1]), 0.0
    if len(rows) >= _FEWEST_TO_CHOOSE_ON:
        x = standardize(features[0])
        chosen = choose_l2(x, labels[rows], len(whole.class_names), config.train.seed)
    return Labelled(
        images,
        labels[rows],
        whole.class_names,
        features[0],
        standardize,
        chosen,
        config.train.precision,
        CropAndFlip(stored, side, (config.tuning.crop, 1.0), config.tuning.flip, device),
        places,
    )


def draw_labelled(config: FinetuneConfig, labels: Tensor) -> Tensor:
    """Draw the labelled images, those of the first draw of few-label evaluation.

    Args:
        config: how many of each class, and the seed.
        labels: of the train split, int64 [N] on the CPU.

    Returns:
        Places in the train split, int64.

    Raises:
        UserError: a class has too few images.
    """
    if config.images_per_class == "all":
        return torch.arange(len(labels))
    seed = derive_seed(config.train.seed, 0)
    try:
        return draw_shots(labels, config.images_per_class, seed)
    except UserError as error:
        raise UserError(str(error).replace("--shots", "--images-per-class")) from error


def _resident(whole: ImageSet, rows: Tensor) -> ImageSet:
    """Decode some images once, where they fit into memory."""
    if len(rows) * 3 * whole.resolution**2 > MEMORY_LIMIT:
        return whole.subset(rows)
    labels = None if whole.labels is None else whole.labels[rows]
    pixels = torch.cat([whole.batch(part) for part in torch.split(rows, 1024)])
    return ResidentImages(whole.name, whole.class_names, labels, pixels)


def _crop_source(
    config: FinetuneConfig,
    found: FoundImages,
    images: ImageSet,
    rows: Tensor,
    device: torch.device,
) -> tuple[ImageSet, Tensor]:
    """Give the images that crops are cut from, and the places of the labelled ones in them.

    Larger images are cropped as they are stored, and decoded when they are asked for.
    """
    if found.sizes.square == images.resolution:
        return images, torch.arange(len(rows))
    workers = config.train.num_workers
    # Of one size too: only the labelled ones are ever asked for.
    return found.originals(images.resolution, device=device, num_workers=workers), rows
