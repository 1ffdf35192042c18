"""EMP-SSL: many patches of an image, for trainings of one epoch."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from squeezespan.config import MethodConfig
from squeezespan.losses.emp_ssl import coding_rate, patch_similarity
from squeezespan.losses.gather import gather_batch
from squeezespan.methods.base import Batch
from squeezespan.methods.spread import deviation
from squeezespan.methods.streams import ViewsMethod, joint_views

__all__ = ["EmpSSL"]


class EmpSSL(ViewsMethod):
    """EMP-SSL (Tong et al. 2023, arXiv 2304.03977), which uses no more of a generator than images.

    loss = -similarity * S - coding_rate * R, with S the cosine of an image's patches with their
    mean and R the total coding rate of a patch's batch. All patches go through the student in one
    pass, as in the authors' code, so that batch norms see them together; a mixture of real and
    synthetic images is one data set.

    Args:
        backbone: gives pooled features [B, D].
        projector: maps them to embeddings.
        config: alpha, the share of synthetic images, the patches and the weights of the terms.
    """

    def __init__(self, backbone: nn.Module, projector: nn.Module, config: MethodConfig) -> None:
        super().__init__(backbone, projector, config.alpha, config.patches)
        self.config = config

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step, see `Method.forward`."""
        config = self.config
        views, _ = joint_views(batch, self.streams, config.patches)
        z = F.normalize(_gather_patches(self.embed(torch.cat(views)), config.patches), dim=-1)
        similarity = patch_similarity(z)
        rate = coding_rate(z, eps=config.coding_eps)
        name = "mixed" if len(self.streams) > 1 else self.streams[0]
        return {
            "loss": -config.similarity * similarity - config.coding_rate * rate,
            # Of unit length, they have this much of a standard deviation where they fill the space.
            "embedding_std": deviation(*z * math.sqrt(z.shape[-1])),
            f"{name}/similarity": similarity.detach(),
            f"{name}/coding_rate": rate.detach(),
        }


def _gather_patches(z: Tensor, patches: int) -> Tensor:
    """From this process's [patches * B, E], patch by patch, to [patches, world_size * B, E]."""
    by_image = torch.stack(z.chunk(patches), dim=1)
    gathered = gather_batch(by_image.flatten(1))
    return torch.stack(gathered.chunk(patches, dim=1))
