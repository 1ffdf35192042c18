"""The site's navigation, read off the links of docs/index.md, which is a plain list on a forge.

Below the page of results come all READMEs of results/.
"""

import re

from sphinx.application import Sphinx

__all__ = ["navigation", "setup"]

_SECTION = re.compile(r"^## (.+)$", re.M)
_RESULTS = """
```{toctree}
:hidden:
:glob:

/results/*/README
/results/*/*/README
```
"""
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
    if name == app.config.root_doc:
        source[0] += "\n\n" + navigation(source[0])
    if name == "docs/results":
        source[0] += _RESULTS


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _append)
    return {"parallel_read_safe": True}
