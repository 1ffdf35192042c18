"""The real and the synthetic stream of a batch: taken out, joined, taken apart again."""

from typing import Literal

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.losses.gather import gather_batch, world_size
from squeezespan.methods.base import Batch, Method

__all__ = ["StreamName", "ViewsMethod", "joint_views", "separate", "views_of"]

StreamName = Literal["real", "syn"]


class ViewsMethod(Method):
    """A method that uses no more of a generator than its images.

    Args:
        backbone: as for `Method`.
        projector: likewise.
        alpha: share of synthetic images, 0 to 1.
        views: of each image, real or synthetic.

    Attributes:
        streams: that the share leaves: real, synthetic or both.
    """

    needs_source = False

    def __init__(
        self, backbone: nn.Module, projector: nn.Module, alpha: float, views: int = 2
    ) -> None:
        super().__init__(backbone, projector)
        self.streams = _streams_of(alpha)
        self.needs_real = "real" in self.streams
        self.real_views = views
        self.synthetic_views = views if "syn" in self.streams else 0


def _streams_of(alpha: float) -> tuple[StreamName, ...]:
    if alpha == 0:
        return ("real",)
    return ("syn",) if alpha == 1 else ("real", "syn")


def views_of(stream: StreamName, batch: Batch, count: int) -> tuple[Tensor, ...]:
    """Take `count` views of one stream out of a batch.

    Raises:
        ValueError: the batch lacks them.
        UserError: fewer than 2 images in the global batch, whose variance is undefined.
    """
    views = batch.real_views if stream == "real" else batch.synthetic_views
    if views is None or len(views) < count:
        raise ValueError(f"this method needs {count} views of the {stream} images of a batch")
    if views[0].shape[0] * world_size() < 2:
        kind = "real" if stream == "real" else "synthetic"
        raise UserError(
            f"a batch with fewer than 2 {kind} images has no variance; "
            "raise --batch-size or change --method.alpha"
        )
    return views[:count]


def joint_views(
    batch: Batch, streams: tuple[StreamName, ...], count: int = 2
) -> tuple[tuple[Tensor, ...], dict[StreamName, int]]:
    """Put the streams together into batches, one of each view.

    Args:
        batch: holds `count` views of each of `streams`.
        streams: in the order in which their images are concatenated.
        count: views.

    Returns:
        the views, float [B, 3, R, R] each, and the number of images of each stream in them.
    """
    views = {stream: views_of(stream, batch, count) for stream in streams}
    joined = tuple(torch.cat(same) for same in zip(*views.values(), strict=True))
    return joined, {stream: len(each[0]) for stream, each in views.items()}


def separate(z: Tensor, sizes: dict[StreamName, int]) -> dict[StreamName, Tensor]:
    """Undo `joint_views` for embeddings, and gather each stream over all processes.

    Args:
        z: embeddings [B, D] of this process's joint batch.
        sizes: images of each stream in it.

    Returns:
        stream to float32 embeddings [world_size * size, D].
    """
    parts = torch.split(z, list(sizes.values()))
    return {stream: gather_batch(part) for stream, part in zip(sizes, parts, strict=True)}
