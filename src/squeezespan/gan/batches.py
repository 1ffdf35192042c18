"""The real images of every step of GAN training, a pure function of (seed, step)."""

from typing import Protocol

import torch
from torch import Tensor

from squeezespan.data.order import epoch_order
from squeezespan.gan.config import GanTrainConfig
from squeezespan.randomness import Rows, StepRandom

__all__ = ["RealBatches", "RealImages"]


class RealImages(Protocol):
    """The real images, as the data room gives them."""

    labels: Tensor | None

    def __len__(self) -> int:
        """Number of images."""

    def batch(self, indices: Tensor) -> Tensor:
        """Give images, uint8 [B, 3, R, R]."""

    def fingerprint(self) -> str:
        """Give a hash of the images and their order."""


class RealBatches:
    """Gives the real images of a step; they come in passes over all of them.

    Args:
        config: the run's settings.
        images: real images of the resolution that `config` names.
        device: where batches go.
    """

    def __init__(self, config: GanTrainConfig, images: RealImages, device: torch.device) -> None:
        self._config = config
        self._images = images
        self._device = device
        self._epoch_order: tuple[int, Tensor] | None = None

    def batch(self, step: int, rows: Rows) -> tuple[Tensor, Tensor | None]:
        """Give images of the step that follows `step` steps.

        Args:
            step: counted from 0.
            rows: which samples of its batch.

        Returns:
            float32 [n, 3, R, R] in [-1, 1], and class indices int64 [n]; None for an
            unconditional GAN.
        """
        n = len(self._images)
        positions = step * rows.total + rows.indices
        epochs = positions // n
        indices = torch.empty_like(positions)
        for epoch in sorted(set(epochs.tolist())):
            within = epochs == epoch
            indices[within] = self._order(epoch)[positions[within] % n]
        real = self._images.batch(indices).to(self._device).float() / 127.5 - 1
        if self._config.mirror:
            seed = self._config.train.seed
            random = StepRandom(seed, step, stream="mirror", device=self._device, rows=rows)
            flips = random.uniform(len(rows)) < 0.5
            real = torch.where(flips[:, None, None, None], real.flip(3), real)
        if not self._config.has_classes or self._images.labels is None:
            return real, None
        return real, self._images.labels[indices].to(self._device)

    def _order(self, epoch: int) -> Tensor:
        if self._epoch_order is None or self._epoch_order[0] != epoch:
            order = epoch_order(len(self._images), epoch, self._config.train.seed)
            self._epoch_order = (epoch, order)
        return self._epoch_order[1]
