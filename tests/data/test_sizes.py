"""Which sizes the images of a set have, and what is said of bringing them to another."""

from pathlib import Path

import pytest
from image_files import encoded, picture, png, write_tree

from squeezespan.data.sizes import Sizes
from squeezespan.data.specs import find_images
from squeezespan.errors import UserError


def _sizes(tmp_path: Path, *shapes: tuple[int, int]) -> Sizes:
    files = {f"{n:02}.png": png(n, width, height) for n, (width, height) in enumerate(shapes)}
    return find_images(f"folder:{write_tree(tmp_path, files)}", "train").sizes


@pytest.mark.parametrize(
    ("shapes", "resolution", "text"),
    [
        ([(256, 256)], 32, "1 images of 256 pixels, brought to 32 (why)"),
        ([(32, 32)] * 2, 32, "2 images of 32 pixels"),
        ([(8, 8)] * 2, 32, "2 images of 8 pixels, enlarged to 32 (why)"),
        ([(60, 48)] * 2, 32, "2 images of 60x48 pixels, their centred squares brought to 32 (why)"),
        (
            [(20, 40), (90, 30), (50, 50)],
            32,
            "3 images of 20 to 50 (median 30) pixels, their centred squares enlarged to 32 (why)",
        ),
        (
            [(40, 40), (40, 50)],
            32,
            "2 images of 40 and more pixels, their centred squares brought to 32 (why)",
        ),
    ],
)
def test_what_is_said(
    tmp_path: Path, shapes: list[tuple[int, int]], resolution: int, text: str
) -> None:
    assert _sizes(tmp_path, *shapes).describe(len(shapes), resolution, "why") == text


@pytest.mark.parametrize(
    ("side", "resolution", "lost"),
    [(256, 32, "98%"), (96, 64, "55%"), (4000, 32, "99%"), (64, 46, ""), (32, 32, ""), (8, 32, "")],
)
def test_most_pixels_lost(side: int, resolution: int, lost: str) -> None:
    assert Sizes(frozenset({(side, side)}), side).lost(resolution) == lost


def test_squares_of_one_size(tmp_path: Path) -> None:
    assert _sizes(tmp_path / "a", (9, 9), (9, 9)).square == 9
    assert _sizes(tmp_path / "b", (9, 9), (9, 10)).square is None


def test_broken_images_are_left_to_the_decoding(tmp_path: Path) -> None:
    files = {"0.png": b"broken", "1.jpg": encoded(picture(0, 30, 20), "JPEG")}
    assert find_images(f"folder:{write_tree(tmp_path, files)}", "train").sizes.side == 20
    (tmp_path / "1.jpg").unlink()
    with pytest.raises(UserError, match=r"cannot decode 0\.png"):
        _ = find_images(f"folder:{tmp_path}", "train").sizes
