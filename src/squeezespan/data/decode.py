"""From the bytes of an image file to eight-bit RGB pixels of one size.

Rules: the EXIF orientation is applied, before anything else; grayscale becomes three equal
channels; transparent pixels are laid on white; CMYK and other color models are converted to RGB;
16-bit values lose their low byte. The largest centred square is then resized, antialiased, to the
resolution, which is the same as resizing the short side and cropping the centre. JPEGs far larger
than that are decoded at a fraction of their size, never below twice the resolution; other images
of more pixels than `Image.MAX_IMAGE_PIXELS` are too large.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from squeezespan.data.encoded import (
    TRANSPOSING,
    BrokenImageError,
    TooLargeError,
    is_image,
    opened,
    set_draft,
    to_rgb,
    turn_of,
    upright,
)

__all__ = [
    "Box",
    "BrokenImageError",
    "ChooseBox",
    "Pixels",
    "TooLargeError",
    "decode_crop",
    "decode_image",
    "fit_square",
    "image_side",
    "is_image",
    "resized_part",
]

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Top, left, height and width of a part of an image, pixels."""
ChooseBox = Callable[[int, int], Box]
"""Gives a part of an image, given its height and width."""


def decode_image(data: bytes, resolution: int) -> Pixels:
    """Decode an image file by this module's rules.

    Args:
        data: the file's content.
        resolution: side of the result, pixels.

    Returns:
        uint8 [resolution, resolution, 3].

    Raises:
        BrokenImageError: not an image, cut short, or of unreadable content.
        TooLargeError: it has more pixels than is safe to decode.
    """
    with opened(data) as image:
        set_draft(image, resolution)
        image.load()
        return fit_square(to_rgb(upright(image), image.format), resolution)


def decode_crop(data: bytes, choose: ChooseBox, resolution: int) -> Pixels:
    """Decode a part of an image file, by this module's rules but for the centred square.

    Args:
        data: the file's content.
        choose: gives the part, of an upright image of such a height and width.
        resolution: side of the result, pixels; the part is resized to it, antialiased.

    Returns:
        uint8 [resolution, resolution, 3].

    Raises:
        BrokenImageError, TooLargeError: as for `decode_image`.
    """
    with opened(data) as image:
        turn, (width, height) = None, image.size
        if image.format == "JPEG":
            # Others tell their orientation, or undo it, only when they are loaded.
            turn = turn_of(image)
            if turn in TRANSPOSING:
                width, height = height, width
            _, _, *sides = choose(height, width)
            set_draft(image, -(-resolution * min(width, height) // min(sides)))
            image.load()
            standing = image if turn is None else image.transpose(turn)
        else:
            set_draft(image, resolution)
            image.load()
            standing = upright(image)
            width, height = standing.size
        rgb = to_rgb(standing, image.format)
        return resized_part(rgb, choose(height, width), (height, width), resolution)


def image_side(data: bytes) -> tuple[int, int]:
    """Give width and height of an image file, before its orientation is applied, undecoded.

    Raises:
        BrokenImageError: not an image, or too large.
    """
    with opened(data) as image:
        return image.size


def fit_square(image: Image.Image, resolution: int) -> Pixels:
    """Resize the largest centred square of an RGB image.

    Args:
        image: of mode RGB.
        resolution: side of the result, pixels.

    Returns:
        uint8 [resolution, resolution, 3].
    """
    width, height = image.size
    if (width, height) != (resolution, resolution):
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        image = image.resize((resolution, resolution), Image.Resampling.BILINEAR, box=box)
    return np.asarray(image)


def resized_part(image: Image.Image, box: Box, size: tuple[int, int], resolution: int) -> Pixels:
    """Cut a part out of an RGB image and resize it to a square.

    Args:
        image: of mode RGB, perhaps smaller than the size that the part is meant for.
        box: top, left, height and width of the part.
        size: height and width that the part is meant for.
        resolution: side of the result, pixels.

    Returns:
        uint8 [resolution, resolution, 3].
    """
    down, across = image.height / size[0], image.width / size[1]
    top, left, height, width = box
    part = image.crop(
        (
            round(left * across),
            round(top * down),
            max(round((left + width) * across), round(left * across) + 1),
            max(round((top + height) * down), round(top * down) + 1),
        )
    )
    return np.asarray(part.resize((resolution, resolution), Image.Resampling.BILINEAR))
