"""Testing every method of the demo in the same way, on the same images."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from squeezespan.data.images import ImageSet
from squeezespan.data.sizes import Sizes
from squeezespan.data.specs import Split, find_images
from squeezespan.demo.settings import DemoOptions
from squeezespan.evaluation.labels import labels_of, require_labels
from squeezespan.evaluation.options import FeatureProtocol, ProbeOptions
from squeezespan.evaluation.protocols import FeatureSplit, evaluate_features, extract_split
from squeezespan.models.student_file import Backbone

__all__ = ["PROTOCOLS", "Examiner", "Outcome"]

PROTOCOLS: tuple[FeatureProtocol, ...] = ("knn", "logistic")
_MOST_TRAIN, _MOST_TEST = 10_000, 5_000


@dataclass(frozen=True)
class Outcome:
    """What the test says about one student."""

    features: FeatureSplit
    """Of the labelled images."""
    evaluations: Mapping[FeatureProtocol, Mapping[str, Any]]
    """Protocol to its figures, as `evaluate_features` gives them."""
    extracting: float
    """Seconds that the features took."""
    judging: float
    """Seconds that the protocols took."""


class Examiner:
    """Keeps the labelled images, and tests students on them.

    Args:
        options: data, seed and precision.
        resolution: side of the student's images.
        device: where features are computed.

    Raises:
        UserError: the data has no labels, no test split, or test classes that train lacks.
    """

    def __init__(self, options: DemoOptions, resolution: int, device: torch.device) -> None:
        self._device = device
        self._options = ProbeOptions(seed=options.seed, precision=options.precision)
        self._data = options.data
        self.train, self.n_train, self.stored = self._open("train", resolution, _MOST_TRAIN)
        self.test, self.n_test, _ = self._open("test", resolution, _MOST_TEST)
        _, self.test.labels, self.test.class_names = labels_of(self.train, self.test)

    @property
    def class_names(self) -> list[str]:
        """In the order of the labels."""
        return self.test.class_names

    def examine(self, backbone: Backbone) -> Outcome:
        """Test a student by nearest neighbours and by logistic regression.

        Args:
            backbone: on the device.

        Raises:
            UserError: its features are not finite.
        """
        began = time.perf_counter()
        split = extract_split(
            backbone, self.train, self.test, self._options, self._device, progress=False
        )
        extracted = time.perf_counter()
        found = {name: evaluate_features(split, name, self._options) for name in PROTOCOLS}
        return Outcome(split, found, extracted - began, time.perf_counter() - extracted)

    def _open(self, split: Split, resolution: int, most: int) -> tuple[ImageSet, int, Sizes]:
        found = find_images(self._data, split)
        images = found.load(resolution, device=self._device)
        require_labels(images, split)
        if len(images) <= most:
            return images, len(images), found.sizes
        # Drawn with a seed of its own, so that demos of all seeds are tested on the same images.
        chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:most]
        return images.subset(chosen.sort().values), len(images), found.sizes
