"""VICReg on real images, on synthetic ones, or on a mixture."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from squeezespan.config import MethodConfig
from squeezespan.losses.gather import gather_batch
from squeezespan.losses.vicreg import invariance
from squeezespan.methods.base import Batch
from squeezespan.methods.spread import Spread, deviation, named_spread, spread, weighed
from squeezespan.methods.streams import StreamName, ViewsMethod, joint_views, separate, views_of
from squeezespan.models.batchnorm import kept_running_statistics

__all__ = ["VICReg"]


class VICReg(ViewsMethod):
    """VICReg (arXiv 2105.04906), which uses no more of a generator than its images.

    A mixture of real and synthetic images is one data set: each view of the mixed batch goes
    through the student in one pass, with batch norm's statistics and the loss over all of it.
    With `mixture` separate it is two, as in `SqueezeSpan`: each stream has passes and a loss of its
    own, alpha * L_syn + (1 - alpha) * L_real, and only real images enter the running statistics.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to embeddings.
        config: alpha, the share of synthetic images, the weights of the terms, and `mixture`.
    """

    def __init__(self, backbone: nn.Module, projector: nn.Module, config: MethodConfig) -> None:
        super().__init__(backbone, projector, config.alpha)
        self.config = config

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step, see `Method.forward`."""
        if self.config.mixture == "separate":
            return self._separate(batch)
        views, sizes = joint_views(batch, self.streams)
        first, second = (separate(self.embed(view), sizes) for view in views)
        whole = torch.cat(list(first.values())), torch.cat(list(second.values()))
        name = "mixed" if len(self.streams) > 1 else self.streams[0]
        loss, logs = self._loss(name, *whole)
        if name == "mixed":
            for stream in self.streams:
                logs |= self._stream_logs(stream, first[stream], second[stream])
        return {"loss": loss, "embedding_std": deviation(*whole), **logs}

    def _separate(self, batch: Batch) -> dict[str, Tensor]:
        weights = {"real": 1 - self.config.alpha, "syn": self.config.alpha}
        weighted: list[Tensor] = []
        embeddings: list[Tensor] = []
        logs: dict[str, Tensor] = {}
        for stream in self.streams:
            with kept_running_statistics(self) if stream == "syn" else nullcontext():
                pair = [gather_batch(self.embed(view)) for view in views_of(stream, batch, 2)]
            loss, terms = self._loss(stream, *pair)
            weighted.append(weights[stream] * loss)
            embeddings += pair
            logs |= terms
        return {
            "loss": torch.stack(weighted).sum(),
            "embedding_std": deviation(*embeddings),
            **logs,
        }

    def _loss(self, name: str, first: Tensor, second: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        distance, both = invariance(first, second), self._spread(first, second)
        loss = weighed(self.config, distance, [both])
        return loss, {f"{name}/invariance": distance.detach(), **named_spread(name, both)}

    @torch.no_grad()
    def _stream_logs(self, stream: StreamName, first: Tensor, second: Tensor) -> dict[str, Tensor]:
        terms = named_spread(stream, self._spread(first, second))
        return {f"{stream}/invariance": invariance(first, second), **terms}

    def _spread(self, first: Tensor, second: Tensor) -> Spread:
        return spread(first, second, estimate=self.config.covariance_estimate)
