"""Testing every method of the demo in the same way, on the same images."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.data.sizes import Sizes
from squeezespan.data.specs import Split, find_images
from squeezespan.demo.settings import DemoOptions
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.knn import knn_scores
from squeezespan.evaluation.labels import labels_of, require_labels
from squeezespan.evaluation.logistic import logistic_scores
from squeezespan.models.student_file import Backbone

__all__ = ["KNN_K", "KNN_TEMPERATURE", "Examiner", "Outcome"]

KNN_K = 200
KNN_TEMPERATURE = 0.1
_MOST_TRAIN, _MOST_TEST = 10_000, 5_000


@dataclass(frozen=True)
class Outcome:
    """What the test says about one student."""

    train_features: Tensor
    """float32 [N, D] on the CPU."""
    test_features: Tensor
    """float32 [M, D] on the CPU."""
    correct: dict[str, Tensor]
    """Protocol (`knn`, `logistic`) to bool [M]: which test images are classified correctly."""
    seconds: float
    """That the test took."""

    def accuracy(self, protocol: str) -> tuple[float, tuple[float, float]]:
        """Give the share of test images classified correctly, and its 95% interval."""
        hits = self.correct[protocol]
        right = int(hits.sum())
        return right / len(hits), wilson(right, len(hits))


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
        self._options = options
        self._device = device
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
        train_x, test_x = self._features(backbone, self.train), self._features(backbone, self.test)
        if not (train_x.isfinite().all() and test_x.isfinite().all()):
            raise UserError("the student gives features that are not numbers (NaN)")
        train_y, test_y = labels(self.train), labels(self.test)
        votes = knn_scores(train_x, train_y, test_x, k=KNN_K, temperature=KNN_TEMPERATURE)
        scores, _ = logistic_scores(
            train_x, train_y, test_x, classes=len(self.class_names), seed=self._options.seed
        )
        correct = {
            "knn": votes.argmax(1) == test_y,
            "logistic": scores.argmax(1) == test_y,
        }
        return Outcome(train_x, test_x, correct, time.perf_counter() - began)

    def _features(self, backbone: Backbone, images: ImageSet) -> Tensor:
        return extract_features(
            backbone,
            images,
            device=self._device,
            precision=self._options.precision,
            progress=False,
        )

    def _open(self, split: Split, resolution: int, most: int) -> tuple[ImageSet, int, Sizes]:
        found = find_images(self._options.data, split)
        images = found.load(resolution, device=self._device)
        require_labels(images, split)
        if len(images) <= most:
            return images, len(images), found.sizes
        # Drawn with a seed of its own, so that demos of all seeds are tested on the same images.
        chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:most]
        return images.subset(chosen.sort().values), len(images), found.sizes


def labels(images: ImageSet) -> Tensor:
    """Labels int64 [N] of a labelled set."""
    assert images.labels is not None
    return images.labels
