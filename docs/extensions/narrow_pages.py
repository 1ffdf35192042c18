"""What fits a narrow page: code that breaks where it may, and pictures that open in full.

Browsers break lines behind dashes. So commands in blocks get a class each, whose second line is
indented, and so do their options; inline code that is too long for any line gets places to break
at. `static/site.css` has the rules. A picture links to its file, as on a forge.
"""

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["commands_apart", "enlargeable", "setup", "softened"]

_COMMANDS = re.compile(
    r'(?<=<div class="highlight-)((?:sh|bash|console)\b.*?<pre>)(.*?)(?=</pre>)', re.S
)
_OPTION = re.compile(r"(?:(?<=[\s>])|^)--?[a-z][\w.-]*", re.M)
_WHOLE = r'<span class="option">\g<0></span>'
_LONG = re.compile(r'<span class="pre">([^<]{33,})</span>')
"""More letters of code than fit on a line of a phone's page."""
_PICTURE = re.compile(r'(<img [^>]*src="([^"]*)"[^>]*>)')


def commands_apart(body: str) -> str:
    """Give each line in blocks of commands, and each option in it, a class of its own.

    Args:
        body: HTML of a page.
    """

    def mark(block: re.Match[str]) -> str:
        lines = _OPTION.sub(_WHOLE, block[2]).splitlines(keepends=True)
        return block[1] + "".join(f'<span class="command">{line}</span>' for line in lines)

    return _COMMANDS.sub(mark, body)


def softened(body: str) -> str:
    """Let long words of code break between the parts of a path or a name.

    Args:
        body: HTML of a page.
    """

    def soften(word: re.Match[str]) -> str:
        parts = _OPTION.sub(_WHOLE, re.sub(r"(?<=[/.,:=(])(?=\w)", "<wbr>", word[1]))
        return f'<span class="pre long">{parts}</span>'

    return _LONG.sub(soften, body)


def enlargeable(body: str) -> str:
    """Link pictures to their files.

    Args:
        body: HTML of a page, without pictures in links.
    """
    return _PICTURE.sub(r'<a class="image-reference" href="\2">\1</a>', body)


def _finish(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    if "body" in context:
        context["body"] = enlargeable(softened(commands_apart(context["body"])))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", _finish)
    return {"parallel_read_safe": True}
