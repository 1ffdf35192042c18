"""Images in a page."""

import base64
import io

import numpy as np
import torch
from PIL import Image

from squeezespan.reports.pictures import FRAME_COLOR, picture_rows


def read(uri: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_pixels_are_those_of_the_images() -> None:
    rows = [torch.randint(256, (2, 3, 96, 96), dtype=torch.uint8) for _ in range(2)]
    canvas = read(picture_rows(rows))
    for row in range(2):
        for column in range(2):
            cell = canvas[row * 112 + 5 :, column * 112 + 5 :][:96, :96]
            assert np.array_equal(cell[..., :3], rows[row][column].permute(1, 2, 0).numpy())
            assert (cell[..., 3] == 255).all()


def test_small_images_are_enlarged_by_whole_pixels() -> None:
    image = torch.arange(4, dtype=torch.uint8).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    canvas = read(picture_rows([image]))
    inner = canvas[5:-5, 5:-5, 0]
    assert inner.shape == (96, 96)
    assert np.array_equal(inner, np.kron([[0, 1], [2, 3]], np.ones((48, 48))))


def test_marked_images_have_a_frame_and_the_ground_is_transparent() -> None:
    canvas = read(picture_rows([torch.zeros(2, 3, 96, 96).byte()], marked=[[False, True]]))
    assert tuple(canvas[0, 0]) == (0, 0, 0, 0)
    assert tuple(canvas[0, 112]) == (*FRAME_COLOR, 255)
