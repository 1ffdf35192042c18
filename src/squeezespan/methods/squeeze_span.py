"""Squeeze and Span, and its settings: squeeze alone, vanilla distillation, the ablations."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from squeezespan.config import MethodConfig
from squeezespan.losses.gather import gather_batch
from squeezespan.losses.vicreg import invariance
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.spread import Spread, deviation, named_spread, spread
from squeezespan.methods.streams import views_of
from squeezespan.models.batchnorm import kept_running_statistics
from squeezespan.models.squeeze import Squeeze, concatenate

__all__ = ["SqueezeSpan"]


class SqueezeSpan(Method):
    """Distil a generator on synthetic images and span the student to real ones (arXiv 2211.03000).

    loss = alpha * L_syn + (1 - alpha) * L_real. L_syn regresses the squeezed generator features
    from one view of the synthetic image, L_real is VICReg's loss of two views of real images.
    alpha 1 is squeeze alone, alpha 0 span alone. Without a squeeze module (vanilla distillation)
    the student regresses the concatenated features by mean squared error, and the variance and
    covariance terms of the synthetic stream are only logged.

    Each view goes through the student in a pass of its own, so batch norms normalize synthetic
    and real images by their own statistics. Where there are real images, only they enter the
    running statistics: the student is to be used on real images, and then does what it did in
    training.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to the width of the target.
        squeeze: the squeeze module; None for vanilla distillation and for alpha 0.
        config: alpha, the weights of the terms and which side they regularize.
    """

    def __init__(
        self,
        backbone: nn.Module,
        projector: nn.Module,
        squeeze: Squeeze | None,
        config: MethodConfig,
    ) -> None:
        super().__init__(backbone, projector)
        self.squeeze = squeeze
        self.config = config
        self.needs_source = config.alpha > 0
        self.needs_real = config.alpha < 1
        self.synthetic_views = 1 if config.alpha > 0 else 0

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
        target = gather_batch(
            concatenate(batch.source) if self.squeeze is None else self.squeeze(batch.source)
        )
        scale = deviation(target).clamp_min(1e-12) if self.squeeze is None else 1.0
        deviations.append(deviation(student) / scale)

        distance = invariance(target, student)
        student_spread, target_spread = spread(student), spread(target)
        logs["syn/invariance"] = distance.detach()
        logs |= named_spread("syn", student_spread) | named_spread("squeeze", target_spread)
        regularized = {
            "student": [student_spread],
            "squeeze": [target_spread],
            "both": [student_spread, target_spread],
        }[self.config.regularize]
        return self._weigh(distance, regularized if self.squeeze is not None else [])

    def _span_loss(self, batch: Batch, logs: dict[str, Tensor], deviations: list[Tensor]) -> Tensor:
        first, second = (gather_batch(self.embed(view)) for view in views_of("real", batch, 2))
        deviations.append(deviation(first, second))
        distance = invariance(first, second)
        real_spread = spread(first, second)
        logs["real/invariance"] = distance.detach()
        logs |= named_spread("real", real_spread)
        return self._weigh(distance, [real_spread])

    def _weigh(self, distance: Tensor, regularized: list[Spread]) -> Tensor:
        loss = self.config.invariance * distance
        for term in regularized:
            loss = loss + self.config.variance * term.variance
            loss = loss + self.config.covariance * term.covariance
        return loss
