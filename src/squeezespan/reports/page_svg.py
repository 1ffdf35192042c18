"""A matplotlib figure as SVG that stands in a page: small, in the page's font and its colors.

Colors become the style sheet's names again, so that a chart turns dark with the page, and what
papers need and pages don't (metadata, outlines, names of groups) is left out.
"""

import io
import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup
from matplotlib.figure import Figure

from squeezespan.reports.charts import colors_by_value

__all__ = ["page_svg"]

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+\.\d+")
_HEX = re.compile(r"#[0-9a-f]{6}\b")
_DOT = re.compile(r"M([^MLz]+)L\1(?=M|$)")
"""A line of no length, which its round ends make a dot."""
_KEPT = {"d", "x", "y", "style", "transform"}
"""Attributes; whatever else matplotlib writes is for its own readers."""
_POINTLESS_TURN = re.compile(r"rotate\(-?0 [^)]*\)")


def page_svg(figure: Figure, label: str, titles: Mapping[str, str] | None = None) -> Markup:
    """Write a figure as an element that fills the width it is given.

    Args:
        figure: drawn under `charts.style`, which must still hold, in colors of the style sheet
            only; without clipping, markers and ticks' marks, which would need definitions with
            names of their own.
        label: says what it shows, for those who can't see it.
        titles: what is read when the pointer rests on an artist, by its gid.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None}, transparent=True)
    root = ElementTree.fromstring(stream.getvalue())
    picture = Element("svg", viewBox=root.attrib["viewBox"], role="img")
    picture.set("aria-label", label)
    for child in root:
        _copy(child, picture, titles or {})
    return Markup(ElementTree.tostring(picture, encoding="unicode"))


def _copy(source: Element, target: Element, titles: Mapping[str, str]) -> None:
    """Add a copy of `source` to `target`; groups that say nothing of their own dissolve."""
    tag = source.tag.removeprefix(_NAMESPACE)
    if tag in ("metadata", "defs", "title") or source.attrib.get("style") == "fill: none":
        return
    title = titles.get(source.attrib.get("id", ""))
    if tag == "g" and title is None and not _attributes(source):
        for child in source:
            _copy(child, target, titles)
        return
    made = Element(tag, _attributes(source))
    made.text = source.text if tag == "text" else None
    if title is not None:
        ElementTree.SubElement(made, "title").text = title
    for child in source:
        _copy(child, made, titles)
    target.append(made)


def _attributes(source: Element) -> dict[str, str]:
    kept = {name: value for name, value in source.attrib.items() if name in _KEPT}
    if "d" in kept:
        path = re.sub(r"\s*([MLQCz])\s*", r"\1", _rounded(kept["d"])).strip()
        kept["d"] = _DOT.sub(r"M\1h0", path)
    for name in ("x", "y", "transform"):
        if name in kept:
            kept[name] = _rounded(kept[name])
    if not _POINTLESS_TURN.sub("", kept.get("transform", "-")).strip():
        del kept["transform"]
    if "style" in kept:
        kept["style"] = _style(kept["style"])
    return kept


def _style(text: str) -> str:
    """Leave the font to the page and give colors their names."""
    names = colors_by_value()
    parts = [part.strip() for part in text.split(";") if part.strip()]
    parts = [part for part in parts if not part.startswith(("font-family", "stroke-linejoin"))]
    return _HEX.sub(lambda found: names.get(found[0], found[0]), ";".join(parts))


def _rounded(text: str) -> str:
    return _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text)
