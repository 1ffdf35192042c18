"""Maps of features side by side, colored by class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from torch import Tensor

from squeezespan.reports.charts import color
from squeezespan.reports.scatter import class_color

__all__ = ["Panel", "map_figure"]

_SIDE = 2.7
_MOST_NAMED = 30
_LEGEND_COLUMN = 1.4


@dataclass(frozen=True)
class Panel:
    """One map."""

    title: str
    note: str
    """What was measured, below the title."""
    places: Tensor
    """float [N, 2]."""
    labels: Tensor
    """int64 [N]."""


def map_figure(
    rows: Sequence[Sequence[Panel]], class_names: Sequence[str], *, title: str, note: str
) -> Figure:
    """Draw rows of maps with a legend of the classes.

    Args:
        rows: of maps; all maps of a row show the same images.
        class_names: in the order of the labels; more than 30 are not written.
        title: what is shown.
        note: how, and where the classes come from; stands below.
    """
    columns = max(map(len, rows))
    muted, line = color("var(--muted)"), color("var(--line)")
    colors = [color(class_color(label, len(class_names))) for label in range(len(class_names))]
    size = (columns * _SIDE + _LEGEND_COLUMN, len(rows) * (_SIDE + 0.45) + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes, row in zip(grid, rows, strict=True):
        for ax in axes[len(row) :]:
            ax.set_axis_off()
        for ax, panel in zip(axes, row, strict=False):
            ax.set_title(f"{panel.title}\n", fontsize=8)
            ax.text(
                0,
                1.015,
                panel.note,
                transform=ax.transAxes,
                fontsize=7,
                color=muted,
            )
            ax.scatter(
                *panel.places.T.tolist(),
                c=[colors[label] for label in panel.labels.tolist()],
                s=_dot(len(panel.places)),
                linewidths=0,
                alpha=0.8,
                rasterized=True,
            )
            ax.set_xticks([])
            ax.set_yticks([])
            ax.spines[:].set_visible(True)
            ax.spines[:].set_color(line)
    if len(class_names) <= _MOST_NAMED:
        marks = [
            grid[0][0].scatter([], [], c=shade, s=24, label=name)
            for shade, name in zip(colors, class_names, strict=True)
        ]
        figure.legend(handles=marks, loc="outside right upper", fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    figure.supxlabel(note, fontsize=7, color=muted, x=0.01, ha="left")
    return figure


def _dot(count: int) -> float:
    """Area of a point, so that many don't cover each other."""
    return min(max(9000 / math.sqrt(count) / math.sqrt(count), 2.0), 20.0)
