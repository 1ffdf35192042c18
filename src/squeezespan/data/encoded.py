"""Opening image files of strangers: which kinds, how large, how they become upright RGB."""

import io
import math
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

__all__ = [
    "TRANSPOSING",
    "BrokenImageError",
    "TooLargeError",
    "is_image",
    "opened",
    "set_draft",
    "to_rgb",
    "turn_of",
    "upright",
]

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
TRANSPOSING: tuple[Image.Transpose | None, ...] = tuple(
    _UPRIGHT[orientation] for orientation in (5, 6, 7, 8)
)
"""Those of them that exchange width and height."""


class BrokenImageError(Exception):
    """A file that is not an image that can be decoded; the message says why."""


class TooLargeError(BrokenImageError):
    """An image of more pixels than may be decoded."""


def is_image(name: str) -> bool:
    """Tell by its suffix whether a file is an image of a kind that can be read."""
    # Paths of pathlib would take seconds where there are a million names.
    return posixpath.splitext(name)[1].lower() in _SUFFIXES


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
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


def set_draft(image: Image.Image, resolution: int) -> None:
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


def upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation, in whatever mode the image is.

    Pillow's own function writes the EXIF block anew, which fails on many a camera's.
    """
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Give what turns an image upright, by its EXIF orientation; None where nothing has to."""
    try:
        return _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    # A block that cannot be read says nothing, and Pillow raises whatever comes to it.
    except Exception:
        return None


def to_rgb(image: Image.Image, file_format: str | None) -> Image.Image:
    """Convert a decoded image to RGB, by the rules of `data.decode`.

    Args:
        image: in any mode.
        file_format: Pillow's name of what it was decoded from.

    Raises:
        BrokenImageError: 32-bit pixels.
    """
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
