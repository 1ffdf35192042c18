"""What every source of images offers before they are decoded to one size."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from squeezespan.data.decode import (
    ChooseBox,
    Pixels,
    decode_crop,
    decode_image,
    fit_square,
    image_side,
    resized_part,
)
from squeezespan.data.labels import Labels

__all__ = ["ArraySource", "EncodedSource", "Source"]


class Source(ABC):
    """The images of one split, in a fixed order.

    Args:
        labels: of the images, or why there are none.
        notices: what a user should know of the files, one line each.
    """

    def __init__(self, labels: Labels, notices: Sequence[str] = ()) -> None:
        self.labels = labels
        self.notices = list(notices)

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def decode(self, index: int, resolution: int) -> Pixels:
        """Give one image, uint8 [resolution, resolution, 3]; may be called from several threads.

        Raises:
            BrokenImageError: it cannot be decoded.
        """

    @abstractmethod
    def crop(self, index: int, choose: ChooseBox, resolution: int) -> Pixels:
        """Give a part of one image as stored, resized to uint8 [resolution, resolution, 3].

        Raises:
            BrokenImageError: it cannot be decoded.
        """

    @abstractmethod
    def size(self, index: int) -> tuple[int, int]:
        """Give width and height of one image as stored.

        Raises:
            BrokenImageError: it cannot be read.
        """

    @abstractmethod
    def name(self, index: int) -> str:
        """Give the name that tells one image from all others of the split."""

    @abstractmethod
    def describe(self, index: int) -> str:
        """Name one image in a message, with the folder or archive that it lies in."""

    def has_test(self) -> bool | None:
        """Tell whether test images are stored beside these; None where opening them tells."""
        return None


class EncodedSource(Source):
    """Image files, wherever their bytes lie.

    Args:
        place: the folder or archive, for messages.
        names: of the files, for messages.
        read: gives the bytes of the file at an index; may raise `BrokenImageError`.
        labels: of the files, or why there are none.
        notices: what a user should know of the files, one line each.
        has_test: tells whether the place holds test images, too.
    """

    def __init__(
        self,
        place: str,
        names: Sequence[str],
        read: Callable[[int], bytes],
        labels: Labels | None = None,
        *,
        notices: Sequence[str] = (),
        has_test: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(labels or Labels(), notices)
        self._has_test = has_test
        self._place = place
        self._names = names
        self._read = read

    def __len__(self) -> int:
        return len(self._names)

    def decode(self, index: int, resolution: int) -> Pixels:
        """Decode the file by the rules of `data.decode`."""
        return decode_image(self._read(index), resolution)

    def crop(self, index: int, choose: ChooseBox, resolution: int) -> Pixels:
        """Decode a part of the file by the rules of `data.decode`."""
        return decode_crop(self._read(index), choose, resolution)

    def size(self, index: int) -> tuple[int, int]:
        """Read width and height from the file's header."""
        return image_side(self._read(index))

    def name(self, index: int) -> str:
        """Give the file's name, with the folders that lead to it."""
        return self._names[index]

    def describe(self, index: int) -> str:
        """Give the file's name and place."""
        return f"{self._names[index]} in {self._place}"

    def has_test(self) -> bool | None:
        """Ask the place."""
        return None if self._has_test is None else self._has_test()


class ArraySource(Source):
    """Images that a data set keeps as one array.

    Args:
        place: the file or folder, for messages.
        pixels: uint8 [N, H, W, 3], perhaps mapped from a file.
        class_names: in the order of the labels; empty if unlabelled.
        labels: one for each image; None if unlabelled.
    """

    def __init__(
        self,
        place: str,
        pixels: Pixels,
        class_names: Sequence[str] = (),
        labels: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            Labels() if labels is None else Labels(list(class_names), list(labels), "")
        )
        self._place = place
        self._pixels = pixels

    def __len__(self) -> int:
        return len(self._pixels)

    def decode(self, index: int, resolution: int) -> Pixels:
        """Give the image, resized where its size is another."""
        pixels: Pixels = self._pixels[index]
        if pixels.shape[:2] == (resolution, resolution):
            return pixels
        return fit_square(Image.fromarray(np.ascontiguousarray(pixels)), resolution)

    def crop(self, index: int, choose: ChooseBox, resolution: int) -> Pixels:
        """Give a part of the image, resized."""
        image = Image.fromarray(np.ascontiguousarray(self._pixels[index]))
        size = (image.height, image.width)
        return resized_part(image, choose(*size), size, resolution)

    def size(self, index: int) -> tuple[int, int]:
        """Give width and height, equal for all images."""
        height, width = self._pixels.shape[1:3]
        return width, height

    def name(self, index: int) -> str:
        """Give the image's number, from 0."""
        return str(index)

    def describe(self, index: int) -> str:
        """Give the image's number and place."""
        return f"image {index} in {self._place}"
