"""Round ticks, written short and whole."""

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

__all__ = ["format_tick", "set_ticks"]


def set_ticks(axis: Axis, count: int, *, percent: bool = False) -> None:
    """Give an axis at most so many round ticks.

    Args:
        axis: of a chart.
        count: intervals between ticks at most.
        percent: whether values are shares to be written as per cent.
    """
    axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value * 100:g}%" if percent else format_tick(value))
    )


def format_tick(value: float) -> str:
    """Write a tick's number: 20k, 0.5, 1.2M, 0.00026."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:g}{unit}"
    return f"{round(value, 12):.4g}"
