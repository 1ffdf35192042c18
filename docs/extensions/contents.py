"""The site's navigation, read off the links of pages that are plain lists on a forge."""

import re

from sphinx.application import Sphinx

__all__ = ["navigation", "setup"]

_SECTION = re.compile(r"^## (.+)$", re.M)
_PAGES = ("docs/index", "docs/results")
_ENTRY = re.compile(r"^- \[[^\]]+\]\(([^):#]+)\.md\)", re.M)


def navigation(text: str) -> str:
    """Give a hidden table of contents for each section of a page that lists pages.

    Args:
        text: Markdown with headings of the second level, and items that begin with a link.
    """
    _, *parts = _SECTION.split(text)
    trees = []
    for caption, body in zip(parts[::2], parts[1::2], strict=True):
        if pages := _ENTRY.findall(body):
            lines = ["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"]
            trees.append("\n".join(lines))
    return "\n\n".join(trees)


def _append(app: Sphinx, name: str, source: list[str]) -> None:
    del app
    if name in _PAGES:
        source[0] += "\n\n" + navigation(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _append)
    return {"parallel_read_safe": True}
