"""Sets of images of one size, read by index in batches."""

import copy
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from typing import Self

import torch
from torch import Tensor

from squeezespan.errors import UserError

__all__ = ["ImageSet", "ResidentImages", "join_images"]

_MOST_HASHED, _HASHED_AT_ONCE = 2048, 1024


class ImageSet(ABC):
    """Images of one size with their labels, where they have any.

    Args:
        name: the data spec they come from.
        class_names: in the order of the labels; empty if unlabelled.
        labels: int64 [N] on the CPU; None if unlabelled.
        resolution: side of the images that `batch` gives, pixels.
        device: where `batch` gives them.
        label_problem: why `labels` is None; empty where they are not.
    """

    def __init__(
        self,
        name: str,
        class_names: Sequence[str],
        labels: Tensor | None,
        resolution: int,
        device: torch.device,
        label_problem: str = "there are none",
    ) -> None:
        self.name = name
        self.class_names = list(class_names)
        self.labels = labels
        self.label_problem = label_problem if labels is None else ""
        self.resolution = resolution
        self.device = device

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batch(self, indices: Tensor) -> Tensor:
        """Give some of the images.

        Args:
            indices: int64 [B], on any device.

        Returns:
            uint8 [B, 3, resolution, resolution] on `device`.
        """

    def fingerprint(self) -> str:
        """Give a hash of the images and their order, in hexadecimal.

        Of a set that is decoded on demand, 2048 evenly spaced images are looked at.
        """
        digest = hashlib.blake2b(f"{len(self)} {self.resolution}".encode(), digest_size=16)
        step = -(-len(self) // _MOST_HASHED) if self.is_decoded_on_demand else 1
        for indices in torch.split(torch.arange(0, len(self), step), _HASHED_AT_ONCE):
            digest.update(self.batch(indices).cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @property
    def is_decoded_on_demand(self) -> bool:
        """Whether `batch` has to read and decode files."""
        return True

    def subset(self, indices: Tensor) -> "ImageSet":
        """Give a set of the images at `indices`, int64 [M], that shares their memory."""
        return _Subset(self, indices.cpu())

    def labelled(self, labels: Tensor, class_names: Sequence[str]) -> Self:
        """Give the same images, in the same memory, with other labels.

        Args:
            labels: int64 [N].
            class_names: in the order of the labels.
        """
        other = copy.copy(self)
        other.labels, other.label_problem = labels.cpu(), ""
        other.class_names = list(class_names)
        return other


class ResidentImages(ImageSet):
    """Images that lie decoded in the memory of one device.

    Args:
        name: the data spec they come from.
        class_names: in the order of the labels; empty if unlabelled.
        labels: int64 [N]; None if unlabelled.
        pixels: uint8 [N, 3, R, R]; `batch` gives its images on its device.
        label_problem: why `labels` is None.
    """

    def __init__(
        self,
        name: str,
        class_names: Sequence[str],
        labels: Tensor | None,
        pixels: Tensor,
        label_problem: str = "there are none",
    ) -> None:
        labels = None if labels is None else labels.cpu()
        resolution, device = pixels.shape[-1], pixels.device
        super().__init__(name, class_names, labels, resolution, device, label_problem)
        self._pixels = pixels

    def __len__(self) -> int:
        return len(self._pixels)

    def batch(self, indices: Tensor) -> Tensor:
        """Give the images at `indices`, as in `ImageSet`."""
        return self._pixels[indices.to(self.device, non_blocking=True)]

    @property
    def is_decoded_on_demand(self) -> bool:
        """Never: they lie in memory."""
        return False


class _Subset(ImageSet):
    def __init__(self, whole: ImageSet, rows: Tensor) -> None:
        labels = None if whole.labels is None else whole.labels[rows]
        super().__init__(
            whole.name,
            whole.class_names,
            labels,
            whole.resolution,
            whole.device,
            whole.label_problem,
        )
        self._whole = whole
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, indices: Tensor) -> Tensor:
        return self._whole.batch(self._rows[indices.cpu()])

    @property
    def is_decoded_on_demand(self) -> bool:
        return self._whole.is_decoded_on_demand


class _Joined(ImageSet):
    def __init__(self, parts: Sequence[ImageSet]) -> None:
        first = parts[0]
        name = " + ".join(dict.fromkeys(part.name for part in parts))
        super().__init__(name, [], None, first.resolution, first.device)
        self._parts = parts
        self._ends = torch.tensor(list(accumulate(len(part) for part in parts)))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def batch(self, indices: Tensor) -> Tensor:
        indices = indices.cpu()
        shape = (len(indices), 3, self.resolution, self.resolution)
        result = torch.empty(shape, dtype=torch.uint8, device=self.device)
        owner = torch.bucketize(indices, self._ends, right=True)
        for number, part in enumerate(self._parts):
            rows = (owner == number).nonzero()[:, 0]
            if len(rows):
                start = self._ends[number] - len(part)
                result[rows.to(self.device)] = part.batch(indices[rows] - start)
        return result

    @property
    def is_decoded_on_demand(self) -> bool:
        return any(part.is_decoded_on_demand for part in self._parts)


def join_images(parts: Sequence[ImageSet]) -> ImageSet:
    """Give the images of several sets, one after the other, as one unlabelled set.

    Args:
        parts: at least one; of one resolution and on one device.

    Raises:
        UserError: their resolutions differ.
    """
    sides = sorted({part.resolution for part in parts})
    if len(sides) > 1:
        raise UserError(
            f"cannot join images of {sides[0]} and {sides[-1]} pixels ({parts[0].name}); "
            "open them at one resolution"
        )
    return _Joined(list(parts))
