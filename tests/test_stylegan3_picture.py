"""The documentation's picture of StyleGAN3's blocks shows the sizes that the code has."""

import runpy
from pathlib import Path

from squeezespan.generators.stylegan3.config import Ladder

_ROOT = Path(__file__).parents[1]


def test_picture_is_what_the_tool_draws() -> None:
    draw = runpy.run_path(str(_ROOT / "tools" / "draw_stylegan3_blocks.py"))["draw"]
    picture = (_ROOT / "docs" / "images" / "stylegan3-blocks.svg").read_text(encoding="utf-8")
    assert picture == draw()
    assert picture != draw(Ladder(resolution=64))
    assert [f">b{side}<" in picture for side in (16, 32, 64, 128)] == [True] * 4
