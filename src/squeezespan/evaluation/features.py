"""Features of a set of images from a frozen backbone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from squeezespan.data.images import ImageSet
from squeezespan.hardware import ResolvedPrecision, resolve_precision
from squeezespan.progress import Progress

__all__ = ["compute_features", "extract_features", "frozen"]


def extract_features(
    backbone: nn.Module,
    images: ImageSet,
    *,
    batch_size: int = 512,
    device: torch.device | str = "cpu",
    precision: str = "auto",
    progress: bool = True,
) -> Tensor:
    """Compute the features of every image, in the set's order.

    Args:
        backbone: takes uint8 [B, 3, R, R]; it is on `device`, runs in eval mode and is left in the
            mode that it was in.
        images: the set.
        batch_size: images at a time.
        device: where the backbone is.
        precision: as `squeezespan.hardware.resolve_precision` takes it.
        progress: whether to show how far it is.

    Returns:
        float32 [N, D] on the CPU.

    Raises:
        UserError: a precision that the device lacks.
    """
    device = torch.device(device)
    resolved = resolve_precision(precision, device)
    shown = Progress(len(images), unit="images", description="features") if progress else None
    parts = []
    with frozen(backbone):
        for indices in torch.split(torch.arange(len(images)), batch_size):
            batch = images.batch(indices).to(device)
            parts.append(compute_features(backbone, batch, resolved).cpu())
            if shown is not None:
                shown.update(len(indices))
    if shown is not None:
        shown.close()
    return torch.cat(parts)


@torch.no_grad()
def compute_features(backbone: nn.Module, images: Tensor, precision: ResolvedPrecision) -> Tensor:
    """Compute the features of one batch.

    Args:
        backbone: in eval mode, on the images' device.
        images: whatever the backbone takes, [B, 3, R, R].
        precision: of the backbone's arithmetic.

    Returns:
        float32 [B, D] on the images' device.
    """
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, dtype=dtype, enabled=precision != "fp32"):
        features: Tensor = backbone(images)
    return features.float()


@contextmanager
def frozen(backbone: nn.Module) -> Iterator[None]:
    """Put a backbone in eval mode, and every part of it back in its own mode afterwards."""
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
