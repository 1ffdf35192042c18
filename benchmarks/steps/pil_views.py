"""Augmentation one image at a time with torchvision on PIL, in a data loader's workers."""

import os
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from squeezespan.data.normalize import Normalization

__all__ = ["PilViews", "TwoViews", "loop"]


class PilViews:
    """MoCo-v2's augmentation without blur, one image at a time.

    Args:
        normalization: of the result.
    """

    def __init__(self, normalization: Normalization) -> None:
        self._transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomResizedCrop(32, scale=(0.2, 1.0)),
                transforms.RandomHorizontalFlip(),
                transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
                transforms.RandomGrayscale(p=0.2),
                transforms.ToTensor(),
                transforms.Normalize(normalization.mean, normalization.std),
            ]
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Make one view of each image, uint8 or float in [0, 1] [B, 3, H, W]; on the CPU."""
        return torch.stack([self._transform(image) for image in images])


class TwoViews(Dataset[tuple[Tensor, Tensor]]):
    """Two views of every real image.

    Args:
        pixels: uint8 [N, 3, 32, 32].
        views: makes them.
    """

    def __init__(self, pixels: Tensor, views: PilViews) -> None:
        self._pixels = pixels
        self._views = views

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self._pixels[index : index + 1]
        return self._views(image)[0], self._views(image)[0]


def loop(
    images: TwoViews, batch_size: int, workers: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through the images for ever in shuffled batches.

    Args:
        images: made by the workers.
        batch_size: images at a time.
        workers: processes; None is one a core.
    """
    workers = _cores() if workers is None else workers
    loader = DataLoader(
        images,
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
