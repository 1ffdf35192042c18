"""A heat map of similarities between the layers of networks."""

import math
from collections.abc import Sequence
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from squeezespan.reports.charts import color

__all__ = ["heat_map"]

_CELL, _MARGIN = 0.27, 2.2
_MOST_NUMBERED = 24
_MOST_NAMED = 60
_DARK_BELOW = 0.62


def heat_map(
    similarity: Tensor, names: Sequence[str], groups: Sequence[str], *, title: str, note: str
) -> Figure:
    """Draw a symmetric matrix of similarities with the layers' names along both sides.

    Args:
        similarity: [L, L], nominally 0 to 1; nan leaves a cell blank.
        names: of the layers.
        groups: network of each layer; layers of one network follow each other.
        title: what is shown.
        note: what it was measured on; stands below.
    """
    side = len(names)
    cell = _CELL if side <= _MOST_NAMED else _CELL * _MOST_NAMED / side
    width = side * cell + _MARGIN
    figure = Figure(figsize=(max(width + 0.6, 4.5), width), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(similarity.numpy(), vmin=0, vmax=1, cmap="viridis", rasterized=True)
    axes.set_title(title)
    axes.spines[:].set_visible(False)
    if side <= _MOST_NAMED:
        axes.set_xticks(range(side), names, rotation=90, fontsize=7)
        axes.set_yticks(range(side), names, fontsize=7)
    else:
        axes.set_xlabel(f"{side} layers, in the order of running")
    axes.tick_params(length=0)
    if side <= _MOST_NUMBERED:
        _write_numbers(axes, similarity)
    _mark_groups(axes, groups)
    bar = figure.colorbar(image, ax=axes, fraction=0.035, pad=0.02)
    bar.set_label("linear CKA")
    bar.outline.set_visible(False)
    figure.supxlabel(note, fontsize=7, color=color("var(--muted)"), x=0.01, ha="left")
    return figure


def _write_numbers(axes: Axes, similarity: Tensor) -> None:
    for row, values in enumerate(similarity.tolist()):
        for column, value in enumerate(values):
            if not math.isnan(value):
                ink = "#ffffff" if value < _DARK_BELOW else "#1a1f26"
                text = f"{value:.2f}".replace("0.", ".", 1)
                axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color=ink)


def _mark_groups(axes: Axes, groups: Sequence[str]) -> None:
    """Draw lines between networks and write their names at the right."""
    start, side = 0, len(groups)
    for name, members in groupby(groups):
        end = start + len(list(members))
        if start:
            for line in (axes.axhline, axes.axvline):
                line(start - 0.5, color=color("var(--ground)"), linewidth=2)
        axes.text(side - 0.3, (start + end - 1) / 2, name, rotation=270, va="center", fontsize=8)
        start = end
