"""Encoding: a student that predicts the latent an image was made of."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from squeezespan.losses.gather import gather_batch
from squeezespan.losses.precision import full_precision
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.resynthesis import Resynthesis
from squeezespan.methods.spread import deviation
from squeezespan.methods.streams import StreamName, views_of
from squeezespan.models.batchnorm import kept_running_statistics

__all__ = ["WPLUS", "Encoding"]

WPLUS = "w+"
"""Name under which a batch's `source` holds the w of every layer, float32 [B, num_ws * w_dim]."""


class Encoding(Method):
    """Invert a frozen generator (arXiv 2211.03000, Table 1).

    loss = alpha * L_syn + (1 - alpha) * L_real. Of a synthetic image the w of every layer is
    known: L_syn is the mean squared error of its prediction, and the L1 and the perceptual distance
    of the image that the generator makes of the prediction. L_real has these two alone.

    Each stream goes through the student in a pass of its own, as in `SqueezeSpan`, and where there
    are real images only they enter the running statistics.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to the w of every layer, [B, num_ws * w_dim].
        resynthesis: makes images of them again.
        alpha: share of synthetic images, above 0.
    """

    synthetic_views = 1
    needs_source = True
    needs_images = True

    def __init__(
        self, backbone: nn.Module, projector: nn.Module, resynthesis: Resynthesis, alpha: float
    ) -> None:
        super().__init__(backbone, projector)
        self.resynthesis = resynthesis
        self.alpha = alpha
        self.needs_real = alpha < 1

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step, see `Method.forward`."""
        if batch.source is None:
            raise ValueError("this method needs the latents of the synthetic images")
        latents = batch.source[WPLUS]
        with kept_running_statistics(self) if self.needs_real else nullcontext():
            predicted = self._predict("syn", batch)
        terms = {"latent": (predicted - latents).square().mean(1)}
        terms |= self._distances(predicted, batch.synthetic_images)
        loss, logs = _summed("syn", terms)
        spread = deviation(gather_batch(predicted.detach())), deviation(gather_batch(latents))
        if self.needs_real:
            terms = self._distances(self._predict("real", batch), batch.real_images)
            real_loss, real_logs = _summed("real", terms)
            loss = self.alpha * loss + (1 - self.alpha) * real_loss
            logs |= real_logs
        return {"loss": loss, "embedding_std": spread[0] / spread[1].clamp_min(1e-12), **logs}

    def _predict(self, stream: StreamName, batch: Batch) -> Tensor:
        (view,) = views_of(stream, batch, 1)
        return full_precision(self.embed(view))

    def _distances(self, predicted: Tensor, images: Tensor | None) -> dict[str, Tensor]:
        if images is None:
            raise ValueError("this method needs the images of a batch without augmentation")
        return self.resynthesis.distances(predicted, images)


def _summed(prefix: str, terms: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Average terms [B] over the images of all processes, and give their sum and their logs."""
    means = {f"{prefix}/{name}": gather_batch(x[:, None]).mean() for name, x in terms.items()}
    logs = {name: mean.detach() for name, mean in means.items()}
    return torch.stack(list(means.values())).sum(), logs
