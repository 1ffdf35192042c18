"""Filling a page's template; a page needs nothing but itself."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["duration", "grouped", "render"]

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fill a template of this package.

    Args:
        template: its file name.
        values: what it names; text is escaped, `Markup` is not.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share, digits=1: f"{share * 100:.{digits}f}%"
    environment.filters["grouped"] = grouped
    environment.filters["duration"] = duration
    return environment.get_template(template).render(**values)


def grouped(number: int) -> str:
    """Write a number in groups of three digits, with spaces at which no line breaks."""
    return f"{number:,}".replace(",", "\u202f")


def duration(seconds: float) -> str:
    """Write a duration to two units, days the largest."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest} s"
    days, hours_left = divmod(hours, 24)
    return f"{days} d {hours_left} h" if days else f"{hours} h {minutes} min"
