"""VICReg on real images, on synthetic ones, or on a mixture."""

import torch
from torch import Tensor, nn

from squeezespan.config import MethodConfig
from squeezespan.losses.vicreg import invariance
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.spread import deviation, named_spread, spread
from squeezespan.methods.streams import StreamName, joint_views, separate, streams_of

__all__ = ["VICReg"]


class VICReg(Method):
    """VICReg (arXiv 2105.04906), which uses no more of a generator than its images.

    A mixture of real and synthetic images is one data set: each view of the mixed batch goes
    through the student in one pass, with batch norm's statistics and the loss over all of it.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to embeddings.
        config: alpha, the share of synthetic images, and the weights of the terms.
    """

    needs_source = False

    def __init__(self, backbone: nn.Module, projector: nn.Module, config: MethodConfig) -> None:
        super().__init__(backbone, projector)
        self.config = config
        self.streams = streams_of(config.alpha)
        self.needs_real = "real" in self.streams
        self.synthetic_views = 2 if "syn" in self.streams else 0

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step, see `Method.forward`."""
        views, sizes = joint_views(batch, self.streams)
        first, second = (separate(self.embed(view), sizes) for view in views)
        whole = torch.cat(list(first.values())), torch.cat(list(second.values()))
        distance, whole_spread = invariance(*whole), spread(*whole)
        loss = (
            self.config.invariance * distance
            + self.config.variance * whole_spread.variance
            + self.config.covariance * whole_spread.covariance
        )
        name = "mixed" if len(self.streams) > 1 else self.streams[0]
        logs = {f"{name}/invariance": distance.detach(), **named_spread(name, whole_spread)}
        if name == "mixed":
            for stream in self.streams:
                logs |= _stream_logs(stream, first[stream], second[stream])
        return {"loss": loss, "embedding_std": deviation(*whole), **logs}


@torch.no_grad()
def _stream_logs(stream: StreamName, first: Tensor, second: Tensor) -> dict[str, Tensor]:
    distance = invariance(first, second)
    return {f"{stream}/invariance": distance, **named_spread(stream, spread(first, second))}
