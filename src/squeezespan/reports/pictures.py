"""Rows of small images as one PNG that stands in the page itself."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import Tensor

__all__ = ["FRAME_COLOR", "picture_rows"]

FRAME_COLOR = (47, 141, 82)
"""Of the frame around marked images; legible on light and dark pages."""

_SMALLEST_SIDE = 96
_GAP = 6
_FRAME = 5


def picture_rows(
    rows: Sequence[Tensor],
    *,
    marked: Sequence[Sequence[bool]] | None = None,
    space_after_first: bool = False,
) -> str:
    """Lay images out in rows, on a transparent ground.

    Small images are enlarged by a whole factor, each pixel a square, so that nothing is shown that
    the student did not see.

    Args:
        rows: uint8 [N, 3, R, R] each; equally many images in all of them.
        marked: for each image of each row, whether to draw a frame around it.
        space_after_first: leaves a wider gap after the first image of a row.

    Returns:
        A data URI of a PNG.
    """
    side = rows[0].shape[-1]
    factor = max(1, -(-_SMALLEST_SIDE // side))
    cell = side * factor + 2 * _FRAME
    extra = 3 * _GAP if space_after_first else 0
    width = len(rows[0]) * (cell + _GAP) - _GAP + extra
    canvas = np.zeros((len(rows) * (cell + _GAP) - _GAP, width, 4), dtype=np.uint8)
    for row, images in enumerate(rows):
        top = row * (cell + _GAP)
        for column, image in enumerate(images.permute(0, 2, 3, 1).cpu().numpy()):
            left = column * (cell + _GAP) + (extra if column else 0)
            place = canvas[top : top + cell, left : left + cell]
            if marked is not None and marked[row][column]:
                place[..., :3], place[..., 3] = FRAME_COLOR, 255
            inner = place[_FRAME:-_FRAME, _FRAME:-_FRAME]
            inner[..., :3] = image.repeat(factor, axis=0).repeat(factor, axis=1)
            inner[..., 3] = 255
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
