"""Docstrings, which are written with Markdown's code here, in the markup that Sphinx reads."""

import re

from sphinx.application import Sphinx

__all__ = ["restructured", "setup"]

_SECTIONS = ("Args:", "Attributes:", "Raises:", "Returns:", "Yields:")
_CODE = re.compile(r"(`[^`]+`)")


def restructured(docstring: str) -> str:
    """Give a docstring in reStructuredText: code marked as code, and blocks that are examples.

    Args:
        docstring: without its indentation.
    """
    parts = _CODE.split(docstring)
    text = "".join(f"`{part}`" if number % 2 else _plain(part) for number, part in enumerate(parts))
    return "\n".join(_with_examples(text.splitlines()))


def _plain(text: str) -> str:
    return text.replace("*", r"\*")


def _with_examples(lines: list[str]) -> list[str]:
    """Put a directive before every indented block that is no section's."""
    marked: list[str] = []
    inside = ""
    for number, line in enumerate(lines):
        indented = line.startswith("    ")
        if line.strip() and not indented:
            inside = "section" if line in _SECTIONS else ""
        elif indented and not inside and not lines[number - 1].strip():
            marked += [".. code-block:: python", ""]
            inside = "example"
        marked.append(line)
    return marked


def _rewrite(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    del app, name, obj, options
    text = "\n".join(lines)
    if what == "attribute":
        # Napoleon takes what stands before a field's colon for its type.
        text = text.replace(": ", " \N{EM DASH} ")
    lines[:] = restructured(text).splitlines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    # Before napoleon turns sections into lists of fields.
    app.connect("autodoc-process-docstring", _rewrite, priority=100)
    return {"parallel_read_safe": True}
