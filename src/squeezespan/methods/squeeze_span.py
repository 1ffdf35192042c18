"""Squeeze and Span, and its settings: other targets, squeeze alone, the ablations."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from squeezespan.config import MethodConfig
from squeezespan.losses.gather import gather_batch
from squeezespan.losses.vicreg import invariance
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.spread import Spread, deviation, named_spread, spread, weighed
from squeezespan.methods.streams import views_of
from squeezespan.models.batchnorm import kept_running_statistics
from squeezespan.models.squeeze import Squeeze
from squeezespan.models.targets import RawTarget, StandardizedTarget

__all__ = ["SqueezeSpan"]


class SqueezeSpan(Method):
    """Distil a generator on synthetic images and span the student to real ones (arXiv 2211.03000).

    loss = alpha * L_syn + (1 - alpha) * L_real. L_syn regresses the target, made of the generator's
    features, from one view of the synthetic image; L_real is VICReg's loss of two views of real
    images. alpha 1 is squeeze alone, alpha 0 span alone. Where the target is not learnt (the
    features themselves, standardized or raw) L_syn is a mean squared error alone: nothing can
    collapse, and the variance and covariance terms of the synthetic stream are only logged.

    With `source.nearby` the view is of another image than the target, made of a latent nearby.

    Where a discriminator teaches, too, a head of its own on the backbone regresses its standardized
    features of the real image from both views, and L_real has their mean squared error besides.

    Each view goes through the student in a pass of its own, so batch norms normalize synthetic
    and real images by their own statistics. Where there are real images, only they enter the
    running statistics: the student is to be used on real images, and then does what it did in
    training.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to the width of the target.
        target: from the generator's features of a batch to what is regressed, [B, E]: the squeeze
            module, or one that is not learnt; None for alpha 0.
        config: alpha, the weights of the terms and which side they regularize.
        real: head, from the backbone's features to as many numbers as the discriminator has
            features, and target of real images; None without a discriminator.
    """

    def __init__(
        self,
        backbone: nn.Module,
        projector: nn.Module,
        target: Squeeze | RawTarget | None,
        config: MethodConfig,
        real: tuple[nn.Module, StandardizedTarget] | None = None,
    ) -> None:
        super().__init__(backbone, projector)
        self.target = target
        self.config = config
        self.real_head = real[0] if real else None
        self.real_target = real[1] if real else None
        self.needs_source = config.alpha > 0
        self.needs_real = config.alpha < 1
        self.synthetic_views = 1 if config.alpha > 0 else 0

    @property
    def standardized(self) -> StandardizedTarget | None:
        """The standardized target, see `Method.standardized`."""
        return self.target if isinstance(self.target, StandardizedTarget) else None

    @property
    def real_standardized(self) -> StandardizedTarget | None:
        """The target of real images, see `Method.real_standardized`."""
        return self.real_target

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step, see `Method.forward`."""
        logs: dict[str, Tensor] = {}
        weighted: list[Tensor] = []
        deviations: list[Tensor] = []
        if self.needs_source:
            weighted.append(self.config.alpha * self._squeeze_loss(batch, logs, deviations))
        if self.needs_real:
            weighted.append((1 - self.config.alpha) * self._span_loss(batch, logs, deviations))
        return {
            "loss": torch.stack(weighted).sum(),
            "embedding_std": torch.stack(deviations).mean(),
            **logs,
        }

    def _squeeze_loss(
        self, batch: Batch, logs: dict[str, Tensor], deviations: list[Tensor]
    ) -> Tensor:
        (view,) = views_of("syn", batch, 1)
        if batch.source is None:
            raise ValueError("this method needs the generator's features of the synthetic images")
        with kept_running_statistics(self) if self.needs_real else nullcontext():
            student = gather_batch(self.embed(view))
        assert self.target is not None
        target = gather_batch(self.target(batch.source))
        student_spread = self._spread(student)
        distance = _distance(self.target, target, student)
        logs["syn/invariance"] = distance.detach()
        logs |= named_spread("syn", student_spread)
        if not isinstance(self.target, Squeeze):
            deviations.append(deviation(student) / deviation(target).clamp_min(1e-12))
            return weighed(self.config, distance, [])
        deviations.append(deviation(student))
        target_spread = self._spread(target)
        logs |= named_spread("squeeze", target_spread) | {"target_std": deviation(target)}
        regularized = {
            "student": [student_spread],
            "squeeze": [target_spread],
            "both": [student_spread, target_spread],
        }[self.config.regularize]
        return weighed(self.config, distance, regularized)

    def _span_loss(self, batch: Batch, logs: dict[str, Tensor], deviations: list[Tensor]) -> Tensor:
        embeddings: list[Tensor] = []
        taught: list[Tensor] = []
        for view in views_of("real", batch, 2):
            features = self.backbone(view)
            embeddings.append(gather_batch(self.projector(features)))
            if self.real_head is not None:
                taught.append(gather_batch(self.real_head(features)))
        first, second = embeddings
        deviations.append(deviation(first, second))
        distance = invariance(first, second)
        real_spread = self._spread(first, second)
        logs["real/invariance"] = distance.detach()
        logs |= named_spread("real", real_spread)
        loss = weighed(self.config, distance, [real_spread])
        if self.real_target is None:
            return loss
        if batch.real_source is None:
            raise ValueError("this method needs the discriminator's features of the real images")
        target = gather_batch(self.real_target(batch.real_source))
        distances = [_distance(self.real_target, target, student) for student in taught]
        distance = torch.stack(distances).mean()
        logs["real/discriminator"] = distance.detach()
        return loss + self.config.real_teacher * distance

    def _spread(self, *views: Tensor) -> Spread:
        return spread(*views, estimate=self.config.covariance_estimate)


def _distance(kind: nn.Module, target: Tensor, student: Tensor) -> Tensor:
    """Mean squared error from a target that `kind` made."""
    if not isinstance(kind, StandardizedTarget):
        return invariance(target, student)
    # Channels that never vary are 0 in the target and have nothing to teach.
    varying = kind.varying.to(student.dtype)
    return invariance(target, student * varying) / varying.mean()
