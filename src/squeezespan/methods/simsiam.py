"""SimSiam on real images, on synthetic ones, or on a mixture."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from squeezespan.losses.simsiam import negative_cosine
from squeezespan.methods.base import Batch
from squeezespan.methods.spread import deviation, named_spread, spread
from squeezespan.methods.streams import ViewsMethod, joint_views, separate

__all__ = ["SimSiam"]


class SimSiam(ViewsMethod):
    """SimSiam (arXiv 2011.10566), which uses no more of a generator than its images.

    A mixture of real and synthetic images is one data set: each view of the mixed batch goes
    through the student in one pass. The `variance` and `covariance` that are logged are of
    embeddings of unit length times sqrt(D), since those are what the loss sees.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to embeddings [B, E].
        predictor: maps embeddings to predictions [B, E]; its learning rate stays fixed.
        alpha: share of synthetic images, 0 to 1.
    """

    def __init__(
        self, backbone: nn.Module, projector: nn.Module, predictor: nn.Module, alpha: float
    ) -> None:
        super().__init__(backbone, projector, alpha)
        self.predictor = predictor

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step, see `Method.forward`."""
        views, sizes = joint_views(batch, self.streams)
        z1, z2 = (self.embed(view) for view in views)
        p1, p2 = (separate(self.predictor(z), sizes) for z in (z1, z2))
        targets1, targets2 = (separate(z.detach(), sizes) for z in (z1, z2))
        logs: dict[str, Tensor] = {}
        weighted: list[Tensor] = []
        scaled: list[Tensor] = []
        for stream, size in sizes.items():
            similarity = (
                negative_cosine(p1[stream], targets2[stream])
                + negative_cosine(p2[stream], targets1[stream])
            ) / 2
            units = [_unit_scaled(targets[stream]) for targets in (targets1, targets2)]
            logs[f"{stream}/negative_cosine"] = similarity.detach()
            logs |= named_spread(stream, spread(*units))
            weighted.append(similarity * (size / len(z1)))
            scaled += units
        return {
            "loss": torch.stack(weighted).sum(),
            "embedding_std": deviation(*scaled),
            **logs,
        }

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Optimizer groups: the student, and the predictor with `fixed_lr` True."""
        student = [*self.backbone.parameters(), *self.projector.parameters()]
        return [
            {"params": student},
            {"params": list(self.predictor.parameters()), "fixed_lr": True},
        ]


def _unit_scaled(z: Tensor) -> Tensor:
    return F.normalize(z, dim=1) * math.sqrt(z.shape[1])
