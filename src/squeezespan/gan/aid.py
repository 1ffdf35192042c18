"""A student's frozen features, judged by small heads beside a discriminator that sees pixels."""

from typing import Any

import torch
from torch import Tensor

from squeezespan.discriminators.projected.network import (
    ProjectedDiscriminator,
    ProjectedDiscriminatorConfig,
)
from squeezespan.discriminators.projected.sources import open_student_features
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.optimizers import adam
from squeezespan.randomness import derive_seed

__all__ = ["Aid"]


class Aid:
    """Projected GAN's mixing and heads on a student (Sauer et al. 2021), and their optimizer.

    Args:
        config: the run's settings; they name a student.
        num_classes: 0 for an unconditional GAN.
        device: where the networks live.
        dtype: that they compute in, but float32 for float16; parameters and logits stay float32.

    Raises:
        UserError: the student is not usable.
    """

    def __init__(
        self, config: GanTrainConfig, num_classes: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        settings, train = config.aid, config.train
        assert settings.backbone is not None
        self._weight = settings.weight
        self.features = open_student_features(
            settings.backbone,
            config.side,
            side=None if settings.side == "auto" else settings.side,
            section="aid",
        ).to(device)
        torch.manual_seed(derive_seed(train.seed, "aid"))
        sizes = ProjectedDiscriminatorConfig(
            feature_channels=self.features.channels,
            channels=settings.channels,
            num_classes=num_classes,
        )
        self.heads = ProjectedDiscriminator(sizes).train().to(device)
        judging = torch.float32 if dtype == torch.float16 else dtype
        self.features.compute_dtype = judging
        self.heads.set_compute_dtype(judging)
        rate = train.discriminator_learning_rate or train.learning_rate
        self.optimizer = adam(self.heads.heads.parameters(), rate, 1.0)

    @property
    def facts(self) -> dict[str, Any]:
        """What the file of a GAN that learnt with it says of it."""
        return {**self.features.facts, "weight": self._weight}

    def judge(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Judge images.

        Args:
            images: augmented as for the discriminator, float32 [B, 3, R, R].
            labels: class indices, int64 [B]; None for an unconditional GAN.

        Returns:
            Logits of all places of all scales, float32 [B, n]; higher is more real.
        """
        logits: Tensor = self.heads(self.features(images), labels)
        return logits

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps; the student, which nothing changes, as a checksum."""
        return {
            "heads": self.heads.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "features_sha256": self.features.sha256,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state.

        Raises:
            UserError: the student has other weights than those that the run began with.
        """
        self.features.check_same(state["features_sha256"])
        self.heads.load_state_dict(state["heads"])
        self.optimizer.load_state_dict(state["optimizer"])
