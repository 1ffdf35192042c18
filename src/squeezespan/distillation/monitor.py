"""The kNN monitor: how well neighbours of the train split classify the images held out of it."""

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor

from squeezespan.config import DistillConfig
from squeezespan.data.images import ImageSet
from squeezespan.distillation.images import KnnImages
from squeezespan.distillation.schedule import Plan
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.knn import knn_predict
from squeezespan.models.student_file import Backbone

__all__ = ["KnnMonitor"]


class KnnMonitor:
    """Classifies held-out images every so many epochs, and at the end of the run.

    Args:
        fabric: launched; each process computes its share of the features.
        config: its monitor section says how often and how; its precision is used.
        plan: the run's length.
        backbone: shares its network with the student in training.
        images: neighbours and queries, labelled.
    """

    def __init__(
        self,
        fabric: Fabric,
        config: DistillConfig,
        plan: Plan,
        backbone: Backbone,
        images: KnnImages,
    ) -> None:
        self._fabric = fabric
        self._config = config
        self._plan = plan
        self._backbone = backbone.to(fabric.device)
        self._images = images

    def due(self, step: int) -> bool:
        """Tell whether to measure after `step` steps."""
        every = self._config.monitor.knn_every * self._plan.steps_per_epoch
        return step > 0 and (step % every == 0 or step == self._plan.steps)

    def measure(self) -> dict[str, float]:
        """Give the accuracy with its 95% interval, and how many images it is from."""
        settings = self._config.monitor
        neighbors, queries = self._images.neighbors, self._images.queries
        assert neighbors.labels is not None
        assert queries.labels is not None
        predicted = knn_predict(
            self._features(neighbors),
            neighbors.labels.to(self._fabric.device),
            self._features(queries),
            k=settings.knn_k,
            temperature=settings.knn_temperature,
        )
        correct = int((predicted.cpu() == queries.labels).sum())
        low, high = wilson(correct, len(queries))
        return {
            "knn_accuracy": correct / len(queries),
            "knn_low": low,
            "knn_high": high,
            "knn_queries": len(queries),
        }

    def _features(self, images: ImageSet) -> Tensor:
        """Features float32 [N, D] on the device, the work shared among processes."""
        rank, world = self._fabric.global_rank, self._fabric.world_size
        own = extract_features(
            self._backbone,
            images.subset(torch.arange(rank, len(images), world)),
            batch_size=self._config.train.batch_size,
            device=self._fabric.device,
            precision=self._config.train.precision,
            progress=False,
        ).to(self._fabric.device)
        if world == 1:
            return own
        share = -(-len(images) // world)
        gathered = self._fabric.all_gather(F.pad(own, (0, 0, 0, share - len(own))))
        assert isinstance(gathered, Tensor)
        return gathered.transpose(0, 1).flatten(0, 1)[: len(images)]
