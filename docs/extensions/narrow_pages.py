"""What fits a narrow page: code that breaks where it may, and pictures that open in full.

Browsers break lines behind dashes. So commands in blocks get a class each, whose second line is
indented, and so do options, files and names with dashes, there and in the text; code that is too
long for any line gets places to break at. `static/site.css` has the rules. A picture links to its
file, as on a forge.
"""

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["commands_apart", "enlargeable", "names_whole", "setup", "softened"]

_COMMANDS = re.compile(
    r'(?<=<div class="highlight-)((?:sh|bash|console)\b.*?<pre>)(.*?)(?=</pre>)', re.S
)
_OPTION = re.compile(r"(?:(?<=[\s>])|^)--?[a-z][\w.-]*", re.M)
_DASHED = re.compile(r"(?:(?<=[\s>])|^)[^\s<>-]*(?:-[^\s<>-]*)+", re.M)
_WHOLE = r'<span class="whole">\g<0></span>'
_LINE = 33
"""More letters of code than fit on a line of a phone's page, beside a margin."""
_LONG = re.compile(rf'<span class="pre">([^<]{{{_LINE},}})</span>')
_TAG_OR_NAME = re.compile(
    r"<(pre|code|script|svg)\b.*?</\1>|<[^>]*>"
    r"|(?<![\w-])(?=[\w-]*(?:\d|-[A-Z]))(?=[\w-]{3,20}(?![\w-]))(\w+(?:-\w+)+)",
    re.S,
)
"""Dates and names such as CIFAR-10 or StyleGAN-XL; other words, and names that would make a table
wider than a phone, may break behind their dashes."""
_PICTURE = re.compile(r'(<img [^>]*src="([^"]*)"[^>]*>)')


def commands_apart(body: str) -> str:
    """Give each line in blocks of commands, and each word with dashes in it, a class of its own.

    Args:
        body: HTML of a page.
    """

    def keep(word: re.Match[str]) -> str:
        if len(word[0]) < _LINE:
            return word.expand(_WHOLE)
        parts = (f'<span class="whole">{part}</span>' for part in re.split(r"(?<=/)", word[0]))
        return "<wbr>".join(parts)

    def mark(line: str) -> str:
        shown = re.sub("<[^>]*>", "", line)
        indent = len(shown) - len(shown.lstrip(" "))
        style = f' style="--indent: {indent}ch"' if indent else ""
        return f'<span class="command"{style}>{_DASHED.sub(keep, line)}</span>'

    def mark_all(block: re.Match[str]) -> str:
        return block[1] + "".join(map(mark, block[2].splitlines(keepends=True)))

    return _COMMANDS.sub(mark_all, body)


def names_whole(body: str) -> str:
    """Keep dates, and names of networks and data sets, on one line.

    Args:
        body: HTML of a page.
    """
    return _TAG_OR_NAME.sub(lambda found: found.expand(_WHOLE) if found[2] else found[0], body)


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
        context["body"] = enlargeable(softened(commands_apart(names_whole(context["body"]))))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", _finish)
    return {"parallel_read_safe": True}
