"""What a classifier made of every test image, from which figures and pages are worked out."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.evaluation.hits import pack_hits
from squeezespan.evaluation.intervals import wilson

__all__ = ["Judged", "accuracies"]


@dataclass(frozen=True)
class Judged:
    """Scores of the images of a test set, by one classifier or by several draws of one."""

    scores: list[Tensor]
    """float [M, classes] each, on any device; one for each draw."""
    labels: Tensor
    """int64 [M] on the CPU."""
    class_names: list[str]
    """In the order of the labels."""
    images: ImageSet
    """The test images, [M]."""

    def confusion(self) -> Tensor:
        """Count true class by predicted class over all draws, int64 [classes, classes]."""
        classes = len(self.class_names)
        counts = torch.zeros(classes * classes, dtype=torch.int64)
        for scores in self.scores:
            pairs = self.labels * classes + scores.argmax(1).cpu()
            counts += torch.bincount(pairs, minlength=classes * classes)
        return counts.view(classes, classes)

    def worst(self, count: int) -> list[tuple[int, int]]:
        """Give the mistakes of the first draw that it was surest of, the surest first.

        Returns:
            Places of test images, each with the class that it was taken for.
        """
        scores = self.scores[0].float().cpu()
        own = scores.gather(1, self.labels[:, None])[:, 0]
        top, predicted = scores.max(1)
        margin = torch.where(predicted == self.labels, -torch.inf, top - own)
        order = margin.argsort(descending=True, stable=True)[:count].tolist()
        return [(row, int(predicted[row])) for row in order if margin[row] > -torch.inf]


def accuracies(scores: Tensor, labels: Tensor, classes: int) -> dict[str, Any]:
    """Give the accuracy of one classifier with its interval and hits, ready for JSON.

    Args:
        scores: float [M, classes].
        labels: int64 [M] on the same device.
        classes: number of classes; beyond ten `top5` is given, too.
    """
    total = len(labels)
    right = scores.argmax(1) == labels
    correct = int(right.sum())
    result: dict[str, Any] = {"accuracy": correct / total, "interval": list(wilson(correct, total))}
    result["interval_kind"] = "95% Wilson"
    result["hits"] = pack_hits(right)
    if classes > 10:
        among = int((scores.topk(5).indices == labels[:, None]).any(1).sum())
        result["top5"] = among / total
        result["top5_interval"] = list(wilson(among, total))
    return result
