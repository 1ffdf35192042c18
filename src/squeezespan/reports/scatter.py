"""A map of points colored by class, as inline SVG."""

import colorsys
import html
from collections.abc import Sequence

from markupsafe import Markup
from torch import Tensor

from squeezespan.reports.svg import Scale, element, figure

__all__ = ["class_color", "scatter"]

_SIDE = 440.0
_MARGIN = 10.0
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
    """
    low, high = places.amin(dim=0), places.amax(dim=0)
    x = Scale(float(low[0]), float(high[0]), _MARGIN, _SIDE - _MARGIN)
    y = Scale(float(low[1]), float(high[1]), _SIDE - _MARGIN, _MARGIN)
    groups = []
    for label, name in enumerate(class_names):
        members = places[labels == label].tolist()
        # A line of length 0 with round ends is a dot, in a fifth of a circle's bytes.
        dots = "".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in members)
        color = class_color(label, len(class_names))
        groups.append(
            element(
                "path",
                element("title", html.escape(name)),
                class_="dots",
                d=dots,
                style=f"stroke:{color}",
            )
        )
    return figure(_SIDE, _SIDE, title, *groups)
