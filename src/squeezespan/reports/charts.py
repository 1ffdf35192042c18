"""One style for all charts by matplotlib: the pages' colors and fonts, on paper and in pages.

Charts name colors as the pages' style sheet does, `var(--blue)`. A file for a paper has its light
colors; in a page the names themselves stand, so that a chart turns dark with the page.
"""

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from squeezespan.files import atomic_write

__all__ = ["FORMATS", "color", "colors_by_value", "save_chart", "style"]

FORMATS = ("png", "pdf", "svg")
"""Endings of the files that a chart is written to."""

_STYLE_SHEET = Path(__file__).parent / "templates" / "style.css"
_VARIABLE = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})")
_FONTS = ["Segoe UI", "Roboto", "Helvetica Neue", "Arial", "DejaVu Sans"]


def color(name: str) -> str:
    """Give the light color that a CSS color stands for, as matplotlib takes it.

    Args:
        name: `var(--NAME)` of the pages' style sheet, or any color of matplotlib's.
    """
    return _light_colors()[name[6:-1]] if name.startswith("var(--") else name


@functools.cache
def colors_by_value() -> dict[str, str]:
    """Give the name of every light color, as CSS reads it."""
    return {value.lower(): f"var(--{name})" for name, value in _light_colors().items()}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the pages' style; nothing outside is changed."""
    muted, line, ink = (color(f"var(--{name})") for name in ("muted", "line", "ink"))
    cycle = [color(f"var(--{name})") for name in ("blue", "rose", "teal", "amber", "gray")]
    with mpl.rc_context(
        {
            "font.family": "sans-serif",
            "font.sans-serif": _FONTS,
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.edgecolor": muted,
            "axes.prop_cycle": cycler(color=cycle),
            "axes.labelcolor": muted,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid.axis": "y",
            "axes.axisbelow": True,
            "grid.color": line,
            "text.color": ink,
            "xtick.color": muted,
            "ytick.color": muted,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "xtick.major.pad": 6,
            "ytick.major.pad": 6,
            "legend.frameon": False,
            "savefig.dpi": 200,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            # Equal charts are equal files.
            "svg.hashsalt": "squeezespan",
        }
    ):
        yield


def save_chart(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as PNG, PDF and SVG, each atomically.

    Args:
        figure: drawn under `style`, which must still hold.
        path: of the files, without an ending.

    Returns:
        The files.

    Raises:
        StorageError: the disk is full or read-only.
    """
    files = []
    for ending in FORMATS:
        file = path.with_name(f"{path.name}.{ending}")
        dated = {"CreationDate": None} if ending == "pdf" else {"Date": None}

        def write(temporary: Path, ending: str = ending, dated: dict[str, None] = dated) -> None:
            metadata = None if ending == "png" else dated
            figure.savefig(temporary, format=ending, metadata=metadata, bbox_inches="tight")

        atomic_write(file, write)
        files.append(file)
    return files


@functools.cache
def _light_colors() -> dict[str, str]:
    """The style sheet's colors by name: its first block is the light one."""
    light, _, _ = _STYLE_SHEET.read_text(encoding="utf-8").partition("}")
    return dict(_VARIABLE.findall(light))
