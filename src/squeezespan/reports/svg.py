"""Building blocks of inline SVG: elements, round ticks, and numbers mapped to places."""

import html
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

__all__ = ["Frame", "Scale", "element", "figure", "format_tick", "round_ticks"]


@dataclass(frozen=True)
class Scale:
    """Maps numbers from `low` to `high` linearly to places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Give the place of `value`."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)


def element(tag: str, *children: str, **attributes: object) -> str:
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


def figure(width: float, height: float, label: str, *children: str) -> Markup:
    """Put elements into a figure that fills the width it is given.

    Args:
        width: of the coordinates inside.
        height: of the coordinates inside.
        label: says what the figure shows, for those who can't see it.
        children: SVG from `element`.
    """
    return Markup(
        element(
            "svg",
            *children,
            viewBox=f"0 0 {width:g} {height:g}",
            role="img",
            aria_label=label,
        )
    )


def round_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Give about `count` round numbers from `low` to `high`, at multiples of 1, 2 or 5."""
    span = high - low
    if not math.isfinite(span) or span < sys.float_info.min * 1e6:
        return [low]
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def format_tick(value: float) -> str:
    """Write a tick's number: 20k, 0.5, 1.2M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:g}{unit}"
    return f"{value:.4g}"


@dataclass(frozen=True)
class Frame:
    """The axes of a chart: where its inside lies, ticks with grid lines, and labels."""

    x: Scale
    y: Scale

    def draw(
        self,
        x_label: str,
        y_label: str,
        x_ticks: Sequence[float],
        y_ticks: Sequence[float],
        *,
        percent: bool = False,
    ) -> str:
        """Draw grid lines, the numbers beside them, and the labels of both axes.

        Args:
            x_label: below the chart.
            y_label: above its left end.
            x_ticks: places of numbers below.
            y_ticks: places of horizontal lines.
            percent: whether the vertical numbers are shares to be written as per cent.
        """
        left, right = self.x.start, self.x.end
        bottom, top = self.y.start, self.y.end
        parts = []
        for tick in y_ticks:
            place = self.y(tick)
            text = f"{tick * 100:g}%" if percent else format_tick(tick)
            parts += [
                element("line", class_="grid", x1=left, x2=right, y1=place, y2=place),
                element("text", text, class_="tick", x=left - 7, y=place + 4, text_anchor="end"),
            ]
        for tick in x_ticks:
            place = self.x(tick)
            text = format_tick(tick)
            parts += [
                element("line", class_="axis", x1=place, x2=place, y1=bottom, y2=bottom + 4),
                element("text", text, class_="tick", x=place, y=bottom + 17, text_anchor="middle"),
            ]
        parts += [
            element("line", class_="axis", x1=left, x2=right, y1=bottom, y2=bottom),
            element(
                "text",
                html.escape(x_label),
                class_="label",
                x=right,
                y=bottom + 33,
                text_anchor="end",
            ),
            element("text", html.escape(y_label), class_="label", x=4, y=top - 12),
        ]
        return "".join(parts)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
