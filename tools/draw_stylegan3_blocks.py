"""Draw which of StyleGAN3's maps become block features, from the sizes of a real configuration.

python tools/draw_stylegan3_blocks.py docs/images/stylegan3-blocks.svg
"""

import argparse
import html
from pathlib import Path

from squeezespan.generators.stylegan3.config import Ladder, StyleGAN3Config, design_layers

_INK, _QUIET, _MARGIN, _KEPT, _TAKEN = "#1d2733", "#6b7785", "#dfe4ea", "#9fb6d9", "#2462c9"
_FONT = "system-ui, sans-serif"
_LEFT, _STEP, _WIDTH, _HEIGHT, _FLOOR = 20, 46, 34, 300, 236


def main() -> None:
    """Read the arguments and write the picture."""
    parser = argparse.ArgumentParser(description="Draw StyleGAN3's block features.")
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(draw(), encoding="utf-8")


def draw(ladder: Ladder | None = None) -> str:
    """Give the picture as SVG.

    Args:
        ladder: sizes of the network; config T at 128x128 if left out.
    """
    ladder = ladder or Ladder(resolution=128)
    config = StyleGAN3Config(resolution=ladder.resolution, layers=design_layers(ladder))
    taken = {layer.name: block for block, layer in config.block_layers.items()}
    tallest = max(layer.out_size for layer in config.layers)
    parts = [
        _text(_LEFT, 20, f"StyleGAN3-T at {ladder.resolution} pixels: the maps of its layers", 14),
        _text(_LEFT, 38, "pale: margin, cropped away; blue: the last map of each resolution", 11),
    ]
    for index, layer in enumerate(config.layers):
        x, block = _LEFT + index * _STEP, taken.get(layer.name)
        middle = x + _WIDTH / 2
        outer, inner = (
            size / tallest * (_FLOOR - 60) for size in (layer.out_size, layer.out_sampling_rate)
        )
        color = "none" if layer.is_torgb else _TAKEN if block else _KEPT
        parts += [
            _bar(x, outer, "white" if layer.is_torgb else _MARGIN),
            _bar(x, inner, color, below=(outer - inner) / 2),
            _text(middle, _FLOOR - outer - 5, str(layer.out_size), 10, "middle"),
            _text(middle, _FLOOR + 14, layer.name.partition("_")[0], 10, "middle"),
        ]
        if block or layer.is_torgb:
            label = block or "ToRGB"
            parts.append(_text(middle, _FLOOR + 32, label, 12, "middle", bold=bool(block)))
    note = (
        "Number above: side of the map, margins included. L0, L1, ...: the layers, in their order."
    )
    parts.append(_text(_LEFT, _FLOOR + 54, note, 11))
    width = _LEFT * 2 + len(config.layers) * _STEP
    background = _element("rect", width=width, height=_HEIGHT, fill="white")
    picture = _element(
        "svg",
        background,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {_HEIGHT}",
        width=width,
        height=_HEIGHT,
        font_family=_FONT,
    )
    return f"{picture}\n"


def _bar(x: float, side: float, color: str, below: float = 0.0) -> str:
    return _element(
        "rect",
        x=x,
        y=_FLOOR - below - side,
        width=_WIDTH,
        height=side,
        fill=color,
        stroke=_QUIET,
        stroke_width=0.5,
    )


def _text(
    x: float, y: float, text: str, size: int, anchor: str = "start", *, bold: bool = False
) -> str:
    weight = "bold" if bold else "normal"
    color = _INK if bold or size > 11 else _QUIET
    return _element(
        "text", text, x=x, y=y, font_size=size, text_anchor=anchor, font_weight=weight, fill=color
    )


def _element(tag: str, *children: str, **attributes: object) -> str:
    """Write an SVG element.

    Args:
        tag: its name.
        children: SVG inside it; text must be escaped before.
        attributes: `stroke_width=2` becomes `stroke-width="2"`, `class_` becomes `class`; numbers
            are rounded to two decimals.
    """
    written = "".join(
        f' {name.strip("_").replace("_", "-")}="{html.escape(_short(value))}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


if __name__ == "__main__":
    main()
