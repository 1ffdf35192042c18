"""From the bytes of an image file to eight-bit RGB pixels of one size.

Rules: the EXIF orientation is applied, before anything else; grayscale becomes three equal
channels; transparent pixels are laid on white; CMYK and other color models are converted to RGB;
16-bit values lose their low byte. The largest centred square is then resized, antialiased, to the
resolution, which is the same as resizing the short side and cropping the centre. JPEGs far larger
than that are decoded at a fraction of their size, never below twice the resolution; other images
of more pixels than `Image.MAX_IMAGE_PIXELS` are too large.
"""

import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

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

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_SUFFIXES = frozenset(
    {
        *(".apng", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm"),
        *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")
_SIXTEEN_BIT_AS_32 = ("PNG", "PPM")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_JPEG = b"\xff\xd8\xff"
_DRAFTS = (1, 2, 4, 8)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture of each EXIF orientation upright."""
_TRANSPOSING = tuple(_UPRIGHT[orientation] for orientation in (5, 6, 7, 8))
_WITH_DRAFT = ("JPEG", "MPO")


class BrokenImageError(Exception):
    """A file that is not an image that can be decoded; the message says why."""


class TooLargeError(BrokenImageError):
    """An image of more pixels than may be decoded."""


def is_image(name: str) -> bool:
    """Tell by its suffix whether a file is an image of a kind that can be read."""
    return PurePosixPath(name).suffix.lower() in _SUFFIXES


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
    with _decoding(data) as image:
        _set_draft(image, resolution)
        image.load()
        return fit_square(_to_rgb(_upright(image), image.format), resolution)


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
    with _decoding(data) as image:
        turn, (width, height) = None, image.size
        if image.format in _WITH_DRAFT:
            # Others tell their orientation, or undo it, only when they are loaded.
            turn = _turn(image)
            if turn in _TRANSPOSING:
                width, height = height, width
            _, _, *sides = choose(height, width)
            _set_draft(image, -(-resolution * min(width, height) // min(sides)))
            image.load()
            upright = image if turn is None else image.transpose(turn)
        else:
            _set_draft(image, resolution)
            image.load()
            upright = _upright(image)
            width, height = upright.size
        rgb = _to_rgb(upright, image.format)
        return resized_part(rgb, choose(height, width), (height, width), resolution)


def image_side(data: bytes) -> tuple[int, int]:
    """Give width and height of an image file, before its orientation is applied, undecoded.

    Raises:
        BrokenImageError: not an image, or too large.
    """
    with _decoding(data) as image:
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


@contextmanager
def _decoding(data: bytes) -> Iterator[Image.Image]:
    """Open an image, and say of whatever then goes wrong that the file is broken."""
    try:
        with _open(data) as image:
            yield image
    except (BrokenImageError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLargeError("it has more pixels than is safe to decode") from error
    # Decoders raise whatever comes to them on files that are broken on purpose.
    except Exception as error:
        raise BrokenImageError(_reason(error)) from error


def _open(data: bytes) -> Image.Image:
    """Open an image without decoding it."""
    if data.startswith(_JPEG):
        # Image.open refuses a photo by its full size, of which a draft decodes a small part.
        return JpegImageFile(io.BytesIO(data))
    return Image.open(io.BytesIO(data), formats=_FORMATS)


def _set_draft(image: Image.Image, resolution: int) -> None:
    """Have a JPEG decoded no larger than is useful.

    Raises:
        TooLargeError: the image has too many pixels, whatever the resolution.
    """
    largest = Image.MAX_IMAGE_PIXELS or math.inf
    pixels = image.width * image.height
    # The decoder of a progressive JPEG keeps all of it, whatever the draft.
    most = 2 * largest if "progressive" in image.info else math.inf
    needed = next((scale for scale in _DRAFTS if pixels <= largest * scale**2), None)
    if needed is not None and pixels <= most:
        width, height = image.width // needed, image.height // needed
        image.draft(None, (min(width, 2 * resolution), min(height, 2 * resolution)))
        if image.width * image.height <= largest:
            return
    raise TooLargeError(f"its {pixels / 1e6:.0f} million pixels are more than is safe to decode")


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation, in whatever mode the image is.

    Pillow's own function writes the EXIF block anew, which fails on many a camera's.
    """
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    # A block that cannot be read says nothing, and Pillow raises whatever comes to it.
    except Exception:
        return None


def _to_rgb(image: Image.Image, file_format: str | None) -> Image.Image:
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and file_format in _SIXTEEN_BIT_AS_32):
        high_byte = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(high_byte).convert("RGB")
    if image.mode in ("I", "F"):
        raise BrokenImageError("32-bit pixels have no agreed range; save it with 8 or 16 bits")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image of a known format"
    return " ".join(str(error).split()) or type(error).__name__
