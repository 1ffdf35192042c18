"""Bars with 95% intervals, as inline SVG."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from squeezespan.reports.svg import Scale, element, figure, round_ticks

__all__ = ["Bar", "interval_bars"]

_WIDTH = 460.0
_LEFT, _RIGHT, _TOP, _ROW = 8.0, 400.0, 34.0, 46.0


@dataclass(frozen=True)
class Bar:
    """A share with its interval."""

    name: str
    color: str
    """A CSS color."""
    value: float
    low: float
    high: float


def interval_bars(bars: Sequence[Bar], *, title: str, chance: float | None = None) -> Markup:
    """Draw one horizontal bar a row, with its interval as a whisker and its figure at the end.

    Args:
        bars: shares in [0, 1].
        title: what is measured; stands above.
        chance: share that guessing gives; drawn as a dashed line.
    """
    top = max([bar.high for bar in bars] + [chance or 0.0]) or 1.0
    ticks = round_ticks(0.0, top, 5)
    scale = Scale(0.0, max(top, ticks[-1]) * 1.02, _LEFT, _RIGHT)
    bottom = _TOP + _ROW * len(bars)
    parts = [element("text", html.escape(title), class_="label strong", x=_LEFT, y=18)]
    for tick in ticks:
        place = scale(tick)
        parts += [
            element("line", class_="grid", x1=place, x2=place, y1=_TOP, y2=bottom),
            element(
                "text",
                f"{tick * 100:g}%",
                class_="tick",
                x=place,
                y=bottom + 16,
                text_anchor="start" if tick == 0 else "middle",
            ),
        ]
    height = bottom + 24
    if chance is not None:
        place = scale(chance)
        height += 16
        parts += [
            element("line", class_="reference", x1=place, x2=place, y1=_TOP, y2=bottom + 22),
            element(
                "text",
                f"guessing gives {chance * 100:.3g}%",
                class_="tick",
                x=place,
                y=bottom + 34,
                text_anchor="start" if place < 60 else "middle",
            ),
        ]
    parts += [_row(bar, scale, _TOP + _ROW * number) for number, bar in enumerate(bars)]
    values = ", ".join(f"{bar.name} {bar.value:.1%}" for bar in bars)
    return figure(_WIDTH, height, f"{title}: {values}", *parts)


def _row(bar: Bar, scale: Scale, top: float) -> str:
    start, end = scale(0.0), scale(bar.value)
    low, high = scale(bar.low), scale(bar.high)
    middle = top + 29
    said = f"{bar.name}: {bar.value:.1%}, 95% interval {bar.low:.1%} to {bar.high:.1%}"
    return "".join(
        [
            element("text", html.escape(bar.name), class_="name", x=start, y=top + 14),
            element(
                "rect",
                element("title", html.escape(said)),
                x=start,
                y=top + 20,
                width=max(end - start, 1.0),
                height=18,
                rx=2,
                style=f"fill:{bar.color}",
            ),
            element("line", class_="whisker", x1=low, x2=high, y1=middle, y2=middle),
            element("line", class_="whisker", x1=low, x2=low, y1=middle - 5, y2=middle + 5),
            element("line", class_="whisker", x1=high, x2=high, y1=middle - 5, y2=middle + 5),
            element("text", f"{bar.value:.1%}", class_="value", x=high + 7, y=middle + 4),
        ]
    )
