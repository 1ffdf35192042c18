"""Curves over the course of a run, as inline SVG."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from squeezespan.reports.svg import Frame, Scale, element, figure, round_ticks

__all__ = ["Line", "line_chart", "thin"]

_WIDTH, _NARROW, _HEIGHT = 460.0, 330.0, 270.0
_LEFT, _TOP, _BOTTOM = 46.0, 34.0, 228.0
_RIGHT_MARGIN = 14.0
_MOST_POINTS = 240


@dataclass(frozen=True)
class Line:
    """A curve and how it looks."""

    name: str
    color: str
    """A CSS color."""
    points: Sequence[tuple[float, float]]
    """(x, y), x growing; points that are not finite are left out."""
    band: Sequence[tuple[float, float, float]] = field(default=())
    """(x, low, high): an interval shaded around the curve."""
    dots: bool = False
    """Marks every point, for curves of few."""


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    percent: bool = False,
    narrow: bool = False,
) -> Markup | None:
    """Draw curves over a common axis.

    Args:
        lines: the curves, the most important last.
        title: what is measured; stands above the vertical axis.
        x_label: what the horizontal axis counts.
        percent: whether values are shares to be written as per cent.
        narrow: for three charts in a row instead of two.

    Returns:
        SVG, None where no curve has a point.
    """
    lines = [_finite(line) for line in lines]
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    ys += [y for line in lines for _, *ends in line.band for y in ends]
    low, high = _padded(min(ys), max(ys))
    x_low = min(0.0, *xs)
    width = _NARROW if narrow else _WIDTH
    frame = Frame(
        Scale(x_low, max(xs) or 1.0, _LEFT, width - _RIGHT_MARGIN),
        Scale(low, high, _BOTTOM, _TOP),
    )
    drawn = [_band(line, frame) for line in lines if line.band]
    drawn += [_curve(line, frame) for line in lines]
    axes = frame.draw(
        x_label,
        title,
        round_ticks(x_low, max(xs), 3 if narrow else 5),
        round_ticks(low, high, 5),
        percent=percent,
    )
    names = ", ".join(line.name for line in lines)
    return figure(width, _HEIGHT, f"{title} over {x_label}: {names}", axes, *drawn)


def thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Average neighbouring points of a long curve, so that a page stays small."""
    width = math.ceil(len(points) / _MOST_POINTS)
    if width <= 1:
        return list(points)
    groups = [points[start : start + width] for start in range(0, len(points), width)]
    return [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group))
        for group in groups
    ]


def _finite(line: Line) -> Line:
    points = [(x, y) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
    return Line(line.name, line.color, thin(points), line.band, line.dots)


def _padded(low: float, high: float) -> tuple[float, float]:
    """Give the ends of the axis: a little more than the data, but not below 0 for nothing."""
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    floor = low - margin
    return (0.0 if low >= 0 > floor else floor), high + margin


def _curve(line: Line, frame: Frame) -> str:
    places = [f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line.points]
    title = element("title", html.escape(line.name))
    marks = [
        element(
            "circle",
            element("title", html.escape(f"{line.name}: {y:.4g} at {x:,.0f}")),
            cx=frame.x(x),
            cy=frame.y(y),
            r=3.2,
            style=f"fill:{line.color}",
        )
        for x, y in (line.points if line.dots or len(line.points) == 1 else ())
    ]
    path = element(
        "polyline", title, class_="curve", points=" ".join(places), style=f"stroke:{line.color}"
    )
    return path + "".join(marks)


def _band(line: Line, frame: Frame) -> str:
    upper = [f"{frame.x(x):.1f},{frame.y(high):.1f}" for x, _, high in line.band]
    lower = [f"{frame.x(x):.1f},{frame.y(low):.1f}" for x, low, _ in reversed(line.band)]
    return element(
        "polygon", class_="band", points=" ".join(upper + lower), style=f"fill:{line.color}"
    )
