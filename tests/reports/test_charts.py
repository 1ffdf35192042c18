"""Charts in pages, and as files."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.figure import Figure

from squeezespan.reports.charts import color, save_chart, style
from squeezespan.reports.heat_map import heat_map
from squeezespan.reports.interval_bars import Bar, interval_bars
from squeezespan.reports.line_chart import Line, line_chart, thin
from squeezespan.reports.scatter import class_color, scatter
from squeezespan.reports.ticks import format_tick

BARS = [
    Bar("one", "var(--blue)", 0.2, 0.15, 0.25),
    Bar("two", "var(--rose)", 0.4, 0.3, 0.5),
]
RATE = [Line("rate", "var(--ink)", [(0.0, 0.00026), (100.0, 0.0)])]


def numbers(path: str) -> list[list[float]]:
    """The corners of a path of straight lines."""
    return [[float(x) for x in pair.split()] for pair in re.findall(r"[ML]([^MLhz]+)", path)]


def titled(svg: str) -> dict[str, ElementTree.Element]:
    """What is drawn, by what is read on it."""
    groups = [
        group for group in ElementTree.fromstring(svg).iter("g") if group.find("title") is not None
    ]
    return {str(group.findtext("title")): group for group in groups}


def drawn(svg: str, title: str) -> list[list[float]]:
    path = titled(svg)[title].find(".//path")
    assert path is not None
    return numbers(path.attrib["d"])


def every_chart() -> list[str]:
    band = [(0.0, 0.1, 0.3), (10.0, 0.2, 0.4)]
    points = [(0.0, 0.2), (10.0, 0.3)]
    lines = [Line("kNN", "var(--rose)", points, band, dots=True)]
    chart = line_chart(lines, title="kNN", x_label="images", percent=True)
    assert chart is not None
    places, labels = torch.randn(6, 2), torch.tensor([0, 1, 1, 2, 2, 2])
    return [
        chart,
        interval_bars(BARS, title="kNN", chance=0.1),
        scatter(places, labels, ["cat", "dog", "eel"], title="map"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05, "0.05"), (9000, "9000"), (20000, "20k"), (2.5e6, "2.5M"), (0.00026, "0.00026")],
)
def test_ticks_are_short(value: float, text: str) -> None:
    assert format_tick(value) == text


def test_charts_turn_dark_with_their_page() -> None:
    for chart in every_chart():
        colors = set(re.findall(r"(?:fill|stroke): ?([^;\"]+)", chart))
        assert len(colors) > 1
        assert all(shade == "none" or re.fullmatch(r"var\(--[\w-]+\)", shade) for shade in colors)
        for text in ElementTree.fromstring(chart).iter("text"):
            assert "fill: var(--" in text.attrib["style"]
            assert "font-family" not in text.attrib["style"]


def test_charts_of_one_page_share_no_names() -> None:
    for chart in every_chart():
        assert not re.search(r"\bid=|url\(|href", chart)


def test_every_tick_and_name_is_whole() -> None:
    """Widths are guessed from the letters, wider than any font of the page has them."""
    charts = [*every_chart(), line_chart(RATE, title="learning rate", x_label="images")]
    for chart in charts:
        root = ElementTree.fromstring(str(chart))
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for text in root.iter("text"):
            size = float(re.findall(r"([\d.]+)px", text.attrib["style"])[0])
            length = 0.6 * size * len(text.text or "")
            x, y = (float(text.attrib[name]) for name in ("x", "y"))
            anchor = re.findall(r"text-anchor: (\w+)", text.attrib["style"]) or ["start"]
            left = x - {"start": 0, "middle": length / 2, "end": length}[anchor[0]]
            assert left > -4, text.text
            assert left + length < width + 4, text.text
            assert 0.9 * size <= y <= height, text.text


def test_small_numbers_keep_their_digits() -> None:
    chart = line_chart(RATE, title="learning rate", x_label="images")
    assert chart is not None
    ticks = [text.text for text in ElementTree.fromstring(chart).iter("text")]
    assert "0.0002" in ticks


def test_a_curve_keeps_its_shape_and_leaves_out_what_is_no_number() -> None:
    points = [(0.0, 3.0), (10.0, float("nan")), (20.0, 1.0)]
    svg = line_chart([Line("loss <1>", "var(--ink)", points)], title="loss", x_label="images")
    assert svg is not None
    (x1, y1), (x2, y2) = drawn(svg, "loss <1>")
    assert x1 < x2
    assert y1 < y2  # downwards on a screen
    assert "loss &lt;1&gt;" in svg


def test_no_points_no_chart() -> None:
    assert line_chart([Line("empty", "var(--ink)", [])], title="loss", x_label="images") is None


def test_points_are_read_out() -> None:
    line = Line("single", "var(--ink)", [(100.0, 0.5)])
    svg = line_chart([line], title="kNN", x_label="images")
    assert svg is not None
    assert "single: 0.5 at 100" in titled(svg)


def test_long_curves_are_averaged() -> None:
    points = [(float(step), float(step % 2)) for step in range(10_000)]
    short = thin(points)
    assert len(short) <= 240
    assert all(0.4 < y < 0.6 for _, y in short)


def test_bars_are_as_long_as_their_shares() -> None:
    svg = interval_bars(BARS, title="kNN", chance=0.1)
    short, long = (
        max(x for x, _ in corners) - min(x for x, _ in corners)
        for corners in (
            drawn(svg, "one: 20.0%, 95% interval 15.0% to 25.0%"),
            drawn(svg, "two: 40.0%, 95% interval 30.0% to 50.0%"),
        )
    )
    assert long == pytest.approx(2 * short, rel=0.01)
    assert "guessing gives 10%" in svg


def test_no_line_crosses_a_name() -> None:
    root = ElementTree.fromstring(interval_bars(BARS, title="kNN", chance=0.1))
    lines = [
        numbers(path.attrib["d"])
        for path in root.iter("path")
        if "fill: none" in path.attrib["style"]
    ]
    assert lines
    for text in root.iter("text"):
        if text.text in ("one", "two"):
            bottom = float(text.attrib["y"])
            for line in lines:
                low, high = min(y for _, y in line), max(y for _, y in line)
                assert high < bottom - 13 or low > bottom


def test_every_point_of_a_map_is_in_its_class() -> None:
    labels = torch.tensor([0, 1, 1, 2, 2, 2])
    svg = scatter(torch.randn(6, 2), labels, ["cat", "dog", "eel"], title="map")
    assert {name: len(drawn(svg, name)) for name in titled(svg)} == {"cat": 1, "dog": 2, "eel": 3}


def test_classes_have_colors_of_their_own() -> None:
    for classes in (10, 100):
        assert len({class_color(label, classes) for label in range(classes)}) == classes


def test_files_for_papers_have_light_colors_and_are_the_same_every_time(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        with style():
            figure = Figure()
            figure.add_subplot().plot([1, 2], color=color("var(--rose)"))
            files = save_chart(figure, tmp_path / folder / "chart")
    assert [file.suffix for file in files] == [".png", ".pdf", ".svg"]
    for file in files:
        assert file.read_bytes() == (tmp_path / "first" / file.name).read_bytes()
    assert "#c22f68" in (tmp_path / "first" / "chart.svg").read_text()


def test_a_heat_map_names_its_layers_and_leaves_constant_ones_blank() -> None:
    similarity = torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]])
    with style():
        figure = heat_map(similarity, ["first", "second"], ["a", "b"], title="t", note="n")
        axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    assert [text.get_text() for text in axes.texts] == ["1.00", "a", "b"]
