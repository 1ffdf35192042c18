"""Curves over the course of a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from squeezespan.reports.charts import color, style
from squeezespan.reports.page_svg import page_svg
from squeezespan.reports.ticks import set_ticks

__all__ = ["Line", "line_chart", "thin"]

_WIDTH, _NARROW, _HEIGHT = 5.6, 4.6, 3.4
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
        SVG for a page, None where no curve has a point.
    """
    lines = [_finite(line) for line in lines]
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    with style():
        figure = Figure(figsize=(_NARROW if narrow else _WIDTH, _HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        titles: dict[str, str] = {}
        for number, line in enumerate(lines):
            titles |= _draw(axes, line, f"curve-{number}")
        axes.set_title(title, fontsize=13, fontweight="normal", color=color("var(--muted)"))
        axes.set_xlabel(x_label, loc="right", fontsize=13)
        axes.tick_params(labelsize=12)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y")
        _set_limits(axes, lines)
        set_ticks(axes.xaxis, 3 if narrow else 5)
        set_ticks(axes.yaxis, 5, percent=percent)
        names = ", ".join(line.name for line in lines)
        return page_svg(figure, f"{title} over {x_label}: {names}", titles)


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


def _set_limits(axes: Axes, lines: Sequence[Line]) -> None:
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    ys += [y for line in lines for _, *ends in line.band for y in ends]
    axes.set_xlim(min(0.0, *xs), max(xs) or 1.0)
    axes.set_ylim(*_padded(min(ys), max(ys)))


def _draw(axes: Axes, line: Line, gid: str) -> dict[str, str]:
    """Draw a curve, and give what is read on it and its points, by gid."""
    shade = color(line.color)
    if line.band:
        xs, lows, highs = zip(*line.band, strict=True)
        outline = [*zip(xs, lows, strict=True), *zip(reversed(xs), reversed(highs), strict=True)]
        axes.add_patch(Polygon(outline, color=shade, alpha=0.14, linewidth=0, clip_on=False))
    axes.plot(*zip(*line.points, strict=True), color=shade, linewidth=2, clip_on=False, gid=gid)
    titles = {gid: line.name}
    for number, (x, y) in enumerate(line.points if line.dots or len(line.points) == 1 else ()):
        key = f"{gid}-{number}"
        # A line of no length with round ends is a dot without a definition of its own.
        axes.plot(
            [x, x],
            [y, y],
            color=shade,
            linewidth=6.5,
            solid_capstyle="round",
            clip_on=False,
            gid=key,
        )
        titles[key] = f"{line.name}: {y:.4g} at {x:,.0f}"
    return titles
