"""Odd image files are decoded by stated rules, and broken ones are named."""

import struct
import zlib

import numpy as np
import pytest
from image_files import encoded, picture
from PIL import Image

from squeezespan.data.decode import decode_image, image_side
from squeezespan.data.encoded import BrokenImageError, TooLargeError, is_image


def _flat(mode: str, color: object, side: int = 8) -> Image.Image:
    return Image.new(mode, (side, side), color)  # type: ignore[arg-type]


def _color(data: bytes) -> list[int]:
    pixels = decode_image(data, 8)
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == pixels[0, 0]).all()
    return pixels[0, 0].tolist()  # type: ignore[no-any-return]


def _palette(transparent: bool) -> bytes:
    image = _flat("P", 1)
    image.putpalette([0, 0, 0, 200, 10, 30])
    return encoded(image, transparency=1) if transparent else encoded(image)


def _sixteen_bit(kind: str) -> bytes:
    values = np.full((8, 8), 0x80FF, np.uint16)
    return encoded(Image.fromarray(values), kind)


@pytest.mark.parametrize(
    ("data", "color"),
    [
        (encoded(_flat("RGB", (1, 2, 3))), [1, 2, 3]),
        (encoded(_flat("L", 77)), [77, 77, 77]),
        (encoded(_flat("L", 77), "JPEG", quality=95), [77, 77, 77]),
        (encoded(_flat("1", 1)), [255, 255, 255]),
        (_palette(transparent=False), [200, 10, 30]),
        (_palette(transparent=True), [255, 255, 255]),
        (encoded(_flat("RGBA", (9, 9, 9, 0))), [255, 255, 255]),
        (encoded(_flat("RGBA", (0, 0, 0, 51))), [204, 204, 204]),
        (encoded(_flat("LA", (40, 255))), [40, 40, 40]),
        (encoded(_flat("RGB", (5, 6, 7)), transparency=(5, 6, 7)), [255, 255, 255]),
        (_sixteen_bit("PNG"), [128, 128, 128]),
        (_sixteen_bit("TIFF"), [128, 128, 128]),
        (encoded(_flat("I", 0x8000), "PPM"), [128, 128, 128]),
        (encoded(_flat("CMYK", (0, 255, 255, 0)), "TIFF"), [255, 0, 0]),
        (encoded(_flat("RGB", (20, 40, 60)), "BMP"), [20, 40, 60]),
        (encoded(_flat("RGB", (20, 40, 60)), "WEBP", lossless=True), [20, 40, 60]),
    ],
)
def test_color_models(data: bytes, color: list[int]) -> None:
    assert _color(data) == color


def test_cmyk_jpeg_has_the_colors_of_the_rgb_one() -> None:
    data = encoded(_flat("RGB", (200, 100, 50)).convert("CMYK"), "JPEG", quality=100)
    assert np.abs(np.array(_color(data)) - [200, 100, 50]).max() <= 2


_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a picture is stored that each EXIF orientation turns upright."""


def _sixteen(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
        *(("TIFF", mode) for mode in ("RGB", "RGBA", "L", "LA", "CMYK", "P", "1", "I;16")),
    ],
)
@pytest.mark.parametrize("orientation", _STORED)
def test_orientation_is_applied_in_every_mode(kind: str, mode: str, orientation: int) -> None:
    quarters = np.array([[(250, 10, 10), (10, 250, 10)], [(10, 10, 250), (240, 240, 240)]])
    scene = Image.fromarray(quarters.astype(np.uint8).repeat(32, 0).repeat(32, 1))
    turn = _STORED[orientation]
    stored = scene if turn is None else scene.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}

    def convert(image: Image.Image) -> Image.Image:
        return _sixteen(image) if mode == "I;16" else image.convert(mode, dither=Image.Dither.NONE)

    data = encoded(convert(stored), kind, exif=exif, **options)
    gray = convert(scene).convert("RGB") if mode != "I;16" else scene.convert("L").convert("RGB")
    difference = np.asarray(gray).astype(int) - decode_image(data, 64)
    assert np.abs(difference).mean() < 5


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_an_exif_block_that_cannot_be_read_says_nothing() -> None:
    data = encoded(picture(0), "JPEG", exif=b"Exif\0\0MM\0*garbage")
    assert decode_image(data, 8).shape == (8, 8, 3)


def test_centre_of_a_wide_image() -> None:
    image = picture(0, width=24, height=8)
    assert np.array_equal(decode_image(encoded(image), 8), np.asarray(image)[:, 8:16])


def test_resizing_is_resizing_the_short_side_and_cropping() -> None:
    image = picture(1, width=96, height=64)
    whole = image.resize((48, 32), Image.Resampling.BILINEAR)
    expected = np.asarray(whole)[:, 8:40].astype(int)
    assert np.abs(decode_image(encoded(image), 32) - expected).max() <= 1


def test_large_jpeg_decoded_small_is_close_to_the_full_one() -> None:
    image = picture(2, 6, 6).resize((768, 768), Image.Resampling.BICUBIC)
    expected = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(decode_image(encoded(image, "JPEG", quality=95), 32) - expected).max() <= 6


def test_size_is_read_without_decoding() -> None:
    assert image_side(encoded(picture(0, 30, 20), "JPEG")[:700]) == (30, 20)


def _bomb(side: int) -> bytes:
    """Give a PNG that claims more pixels than it has."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = b""
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100)))):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        chunks += struct.pack(">I", len(content)) + name + content + checksum
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "known format"),
        (b"hello", "known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "known format"),
        (encoded(picture(0, 64, 64), "JPEG")[:900], "truncated"),
        (encoded(picture(0, 64, 64))[:900], "truncated"),
        (_bomb(10_000), "pixels"),
        (_bomb(60_000), "pixels"),
        (encoded(Image.new("F", (8, 8), 0.5), "TIFF"), "32-bit"),
        (encoded(Image.new("I", (8, 8), 7), "TIFF"), "32-bit"),
    ],
)
def test_broken_files_say_why(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenImageError, match=reason):
        decode_image(data, 8)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (30_000, 2), (1, 500)])
def test_tiny_and_narrow_images(width: int, height: int) -> None:
    data = encoded(Image.new("RGB", (width, height), "white"))
    assert (decode_image(data, 32) == np.full((32, 32, 3), 255)).all()


@pytest.mark.parametrize(("progressive", "side"), [(False, 1024), (True, 512), (True, 1024)])
def test_large_photos_are_decoded_by_draft(
    monkeypatch: pytest.MonkeyPatch, progressive: bool, side: int
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500 * 500)
    photo = picture(0, 4, 4).resize((side, side), Image.Resampling.NEAREST)
    data = encoded(photo, "JPEG", quality=95, progressive=progressive)
    if progressive and side == 1024:
        with pytest.raises(TooLargeError, match="1 million pixels"):
            decode_image(data, 4)
        return
    assert image_side(data) == (side, side)
    expected = np.asarray(photo.resize((900, 900), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(decode_image(data, 900) - expected).mean() < 12


def test_kinds_of_files() -> None:
    assert is_image("a/B.JPEG")
    assert is_image("a/photo.jfif")
    assert not is_image("a/labels.csv")
    assert not is_image("a/drawing.eps")
