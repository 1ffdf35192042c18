"""From the bytes of an image file to eight-bit RGB pixels of one size.

Rules: the EXIF orientation is applied; grayscale becomes three equal channels; transparent pixels
are laid on white; CMYK and other color models are converted to RGB; 16-bit values lose their low
byte. The largest centred square is then resized, antialiased, to the resolution, which is the
same as resizing the short side and cropping the centre. JPEGs far larger than that are decoded at
a fraction of their size, never below twice the resolution.
"""

import io
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["BrokenImageError", "Pixels", "decode_image", "fit_square", "image_side", "is_image"]

Pixels = npt.NDArray[np.uint8]

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")
_SIXTEEN_BIT_AS_32 = ("PNG", "PPM")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


class BrokenImageError(Exception):
    """A file that is not an image that can be decoded; the message says why."""


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
        BrokenImageError: not an image, cut short, of unreadable content, or too large.
    """
    try:
        with _open(data) as image:
            image.draft(None, (2 * resolution, 2 * resolution))
            image.load()
            rgb = _to_rgb(image, image.format)
            return fit_square(ImageOps.exif_transpose(rgb), resolution)
    except (BrokenImageError, MemoryError):
        raise
    # Decoders raise whatever comes to them on files that are broken on purpose.
    except Exception as error:
        raise BrokenImageError(_reason(error)) from error


def image_side(data: bytes) -> tuple[int, int]:
    """Give width and height of an image file, before its orientation is applied, undecoded.

    Raises:
        BrokenImageError: not an image, or too large.
    """
    try:
        with _open(data) as image:
            return image.size
    except (BrokenImageError, MemoryError):
        raise
    except Exception as error:
        raise BrokenImageError(_reason(error)) from error


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


def _open(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    largest = Image.MAX_IMAGE_PIXELS
    if largest is not None and image.width * image.height > largest:
        raise BrokenImageError(
            f"{image.width} by {image.height} pixels are more than the {largest} that are safe"
        )
    return image


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
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return "it has more pixels than is safe"
    return " ".join(str(error).split()) or type(error).__name__
