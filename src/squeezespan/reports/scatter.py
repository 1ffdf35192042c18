"""A map of points colored by class."""

import colorsys
from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from torch import Tensor

from squeezespan.reports.charts import color, style
from squeezespan.reports.page_svg import page_svg

__all__ = ["class_color", "scatter"]

_SIDE = 5.0
_NAMED_COLORS = 10


def class_color(label: int, classes: int) -> str:
    """Give the CSS color of a class; up to ten classes have colors of the page's own."""
    if classes <= _NAMED_COLORS:
        return f"var(--class-{label})"
    red, green, blue = colorsys.hls_to_rgb(label / classes, 0.45 + 0.12 * (label % 2), 0.65)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def scatter(places: Tensor, labels: Tensor, class_names: Sequence[str], *, title: str) -> Markup:
    """Draw points in the colors of their classes.

    Args:
        places: float [N, 2]; only distances mean something, so that both axes are stretched to
            fill the square.
        labels: int64 [N].
        class_names: in the order of the labels.
        title: what the map shows.

    Returns:
        SVG for a page.
    """
    with style():
        figure = Figure(figsize=(_SIDE, _SIDE))
        axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
        axes.set_axis_off()
        titles = {}
        for label, name in enumerate(class_names):
            members = places[labels == label]
            if not len(members):
                continue
            # Lines of no length with round ends are dots, in a fifth of a circle's bytes.
            points = members.repeat_interleave(2, dim=0).tolist()
            path = Path(points, [Path.MOVETO, Path.LINETO] * len(members))
            path.should_simplify = False
            dots = PathPatch(
                path,
                edgecolor=color(class_color(label, len(class_names))),
                fill=False,
                linewidth=5,
                capstyle="round",
                alpha=0.78,
                clip_on=False,
                gid=f"class-{label}",
            )
            axes.add_patch(dots)
            titles[f"class-{label}"] = name
        low, high = places.amin(dim=0).tolist(), places.amax(dim=0).tolist()
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        return page_svg(figure, title, titles)
