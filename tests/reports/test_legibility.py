"""Pages in a browser: that faults are found, and that crowded pages have none."""

import re
from pathlib import Path

from legibility import assert_legible, find_faults, find_faults_of_parts

from squeezespan.reports.interval_bars import Bar, interval_bars
from squeezespan.reports.line_chart import Line, line_chart
from squeezespan.reports.page import render

_STYLE = "body { margin: 8px; background: #fff; color: #000; }"


_FAULTY = """
<p style="width: 3em; overflow: hidden; white-space: nowrap">right-hand</p>
<p style="height: 0.5em; overflow: hidden">lower</p>
<p style="margin-left: -3em">left-hand</p>
<svg style="max-width: 300px" viewBox="0 0 300 20"><text x="280" y="15">chart</text></svg>
<p style="margin-bottom: -1.5em">one</p><p>other</p>
<svg style="max-width: 300px" viewBox="0 0 3000 200"><text x="80" y="150">small</text></svg>
<svg style="max-width: 300px" viewBox="0 0 90 20"><text x="0" y="15">large</text></svg>
<p style="color: #999">faint</p>
<p style="width: 1400px">wide</p>
"""
_FAULTS = {
    "scrolls sideways",
    *(f"cut off: {text}" for text in ("right-hand", "lower", "left-hand", "chart")),
    "drawn over each other: one | other",
    "too small: small",
    "too large: large",
    "too faint (contrast 2.8): faint",
}


def test_every_fault_is_found_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><style>{_STYLE}</style>{_FAULTY}", encoding="utf-8")
    found = [fault.split(": ", 1) for fault in find_faults(page, tmp_path)]
    views = {view for view, _ in found}
    assert len(views) == 4
    for view in views:
        faults = {re.sub(r"(sideways).*", r"\1", fault) for one, fault in found if one == view}
        assert faults == _FAULTS


def test_what_can_be_scrolled_to_is_no_fault(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    inside = '<p style="width: 2000px; text-align: right">accuracies</p>'
    body = f'<div style="overflow-x: auto">{inside}</div>'
    page.write_text(f"<!doctype html><style>{_STYLE}</style>{body}", encoding="utf-8")
    assert_legible(page, tmp_path)


def test_text_of_a_part_alone_is_looked_at(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    body = '<nav class="tree">{faint}faint menu</p></nav><article>{faint}faint words</p></article>'
    faint = '<p style="color: #999">'
    page.write_text(
        f"<!doctype html><style>{_STYLE}</style>{body.format(faint=faint)}", encoding="utf-8"
    )
    told = {
        "body": {"faint menu", "faint words"},
        "article": {"faint words"},
        'nav[class="tree"]': {"faint menu"},
        "aside": {"has no aside"},
    }
    found = find_faults_of_parts(page, tmp_path, list(told))
    texts = {
        part: {fault.rpartition(": ")[2] for fault in faults} for part, faults in found.items()
    }
    assert texts == told


def test_faults_of_the_dark_page_alone_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    dark = "@media (prefers-color-scheme: dark) { body { background: #111 } }"
    page.write_text(f"<!doctype html><style>{_STYLE}{dark}</style><p>accuracies", encoding="utf-8")
    assert {fault.partition(" (")[0] for fault in find_faults(page, tmp_path)} == {
        f"page.html at {width} pixels, dark: too faint" for width in (1280, 390)
    }


def test_charts_of_awkward_numbers_are_legible(tmp_path: Path) -> None:
    name = "Squeeze and Span on generated images"
    points = [[(0.0, y), (x, y / 3)] for x in (7.0, 123_456_789.0) for y in (0.00026, 98_765.0)]
    charts = [
        line_chart(
            [Line(name, "var(--rose)", points, dots=True)], title=name, x_label=name, narrow=narrow
        )
        for points in points
        for narrow in (False, True)
    ]
    bars = [Bar(name, "var(--blue)", share, 0.9 * share, 1.0) for share in (0.0, 0.004, 0.997)]
    charts.append(interval_bars(bars, title=name, chance=0.001))
    charts.append(interval_bars(bars[:1], title=name))
    page = tmp_path / "page.html"
    legend = [(name, "var(--rose)")]
    rows = [{"name": name, "color": "var(--rose)", "what": name, "state": "stopped"}]
    counted = {"images": 123_456_789, "seconds": 1e6, "score": "98.7%", "interval": "1.0% to 2.0%"}
    page.write_text(
        render(
            "several.html.j2",
            title=name,
            version="0",
            legend=legend,
            rows=[row | counted for row in rows],
            charts=charts,
        ),
        encoding="utf-8",
    )
    assert_legible(page, tmp_path)
