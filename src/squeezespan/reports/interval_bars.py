"""Bars with 95% intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from squeezespan.reports.charts import color, style
from squeezespan.reports.page_svg import page_svg
from squeezespan.reports.ticks import set_ticks

__all__ = ["Bar", "interval_bars"]

_WIDTH, _ROW, _MARGINS = 5.6, 0.62, 0.75
_THICKNESS = 0.4
_TEXT = 12


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

    Returns:
        SVG for a page.
    """
    with style():
        height = _ROW * len(bars) + _MARGINS + (0.2 if chance is not None else 0)
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        ink = color("var(--ink)")
        titles = {}
        for row, bar in enumerate(bars):
            key = f"bar-{row}"
            _draw(axes, bar, row, key)
            if chance is not None:
                # Beside every bar, not from top to bottom: there it would cross the names.
                ends = [row - _THICKNESS / 2, row + _THICKNESS / 2]
                axes.plot(
                    [chance, chance], ends, color=ink, linewidth=1.4, ls=(0, (3, 2)), clip_on=False
                )
            titles[key] = (
                f"{bar.name}: {bar.value:.1%}, 95% interval {bar.low:.1%} to {bar.high:.1%}"
            )
        axes.set_title(title, fontsize=14)
        top = max([bar.high for bar in bars] + [chance or 0.0]) or 1.0
        axes.set_xlim(0, top)
        axes.set_ylim(len(bars) - 0.6, -0.75)
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.tick_params(labelsize=_TEXT)
        set_ticks(axes.xaxis, 5, percent=True)
        if chance is not None:
            said = f"dashed: guessing gives {chance * 100:.3g}%"
            axes.set_xlabel(said, loc="left", fontsize=_TEXT)
        values = ", ".join(f"{bar.name} {bar.value:.1%}" for bar in bars)
        return page_svg(figure, f"{title}: {values}", titles)


def _draw(axes: Axes, bar: Bar, row: int, key: str) -> None:
    ink = color("var(--ink)")
    axes.barh(row, bar.value, _THICKNESS, color=color(bar.color), clip_on=False)[0].set_gid(key)
    middle = [row, row]
    axes.plot([bar.low, bar.high], middle, color=ink, linewidth=1.6, clip_on=False)
    for end in (bar.low, bar.high):
        cap = [row - 0.11, row + 0.11]
        axes.plot([end, end], cap, color=ink, linewidth=1.6, clip_on=False)
    axes.text(0, row - _THICKNESS / 2 - 0.06, bar.name, fontsize=13, va="bottom", color=ink)
    axes.annotate(
        f"{bar.value:.1%}",
        (bar.high, row),
        (6, 0),
        textcoords="offset points",
        va="center",
        fontsize=13,
        fontweight="bold",
        color=ink,
        annotation_clip=False,
    )
