"""What every method offers: from the batch of one step to a dict of named losses."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from squeezespan.models.targets import StandardizedTarget

__all__ = ["Batch", "Method"]


@dataclass
class Batch:
    """One step's images and what the generator knows of the synthetic ones, on this process."""

    real_views: tuple[Tensor, ...] | None = None
    """As many augmented views of the same real images as the method wants, normalized, float
    [Br, 3, R, R] each."""
    synthetic_views: tuple[Tensor, ...] | None = None
    """As many augmented views as the method wants, normalized, float [Bs, 3, R, R] each; with
    `source.nearby`, the last is of an image nearby."""
    source: dict[str, Tensor] | None = None
    """Pooled block features `{"b4": [Bs, C], "b4-std": [Bs, C], ...}`, the latent
    `{"w": [Bs, w_dim]}` alone or besides, or that of every layer `{"w+": [Bs, num_ws * w_dim]}`,
    float32."""
    real_source: dict[str, Tensor] | None = None
    """What the discriminator says of the real images without augmentation, layer by layer,
    `{"fc": [Br, C], ...}`, float32."""
    real_images: Tensor | None = None
    """The real images without augmentation, float32 [Br, 3, R, R] in [0, 1]."""
    synthetic_images: Tensor | None = None
    """The synthetic images without augmentation, float32 [Bs, 3, R, R] in [0, 1]."""


class Method(nn.Module, ABC):
    """A way to train a backbone.

    Called inside autocast or not, its losses are float32. Under data parallelism they are those
    of the global batch, alike on every process, and the averaged gradients are those of one
    process with the whole batch; every process then needs equally many images of each stream, and
    batch norms converted by `convert_sync_batchnorm`.

    Args:
        backbone: gives pooled features [B, D]; what is kept after training.
        projector: maps them to embeddings [B, E].
    """

    synthetic_views: int
    """Views of each synthetic image that a batch must hold; 0 if it holds none."""
    needs_source: bool
    """Whether a batch must hold the generator's features or latents."""
    needs_real: bool
    """Whether a batch must hold views of real images."""
    real_views: int = 2
    """Views of each real image that a batch must hold, where it must hold any."""
    needs_images: bool = False
    """Whether a batch must also hold its images without augmentation."""

    def __init__(self, backbone: nn.Module, projector: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.projector = projector

    @abstractmethod
    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one step.

        Args:
            batch: views and sources as the attributes of the method ask for.

        Returns:
            names to float32 scalars. `loss` is to be back-propagated; the others are detached, for
            logs. `embedding_std` is the mean standard deviation of the embedding's dimensions on a
            scale where 0 is collapse and about 1 is healthy; `target_std` is that of what is
            regressed, where that is learnt. `syn/...` and `real/...` are terms of
            the student's embeddings of that stream, or of what is made of them, summed over its
            views; `squeeze/...` those of the squeeze module; `mixed/...` those of both streams
            taken as one batch.

        Raises:
            UserError: fewer than 2 images of a stream in the global batch.
        """

    @property
    def standardized(self) -> StandardizedTarget | None:
        """The target whose statistics must be measured before the first step, if there is one."""
        return None

    @property
    def real_standardized(self) -> StandardizedTarget | None:
        """The same of what the discriminator says of real images."""
        return None

    def embed(self, images: Tensor) -> Tensor:
        """Map this process's images, float [B, 3, R, R], to the student's embeddings [B, E]."""
        embeddings: Tensor = self.projector(self.backbone(images))
        return embeddings

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Optimizer groups; one with `fixed_lr` True keeps its learning rate all along."""
        return [{"params": list(self.parameters())}]
