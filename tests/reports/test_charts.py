"""Charts as inline SVG."""

import re
from xml.etree import ElementTree

import pytest
import torch

from squeezespan.reports.interval_bars import Bar, interval_bars
from squeezespan.reports.line_chart import Line, line_chart, thin
from squeezespan.reports.scatter import class_color, scatter
from squeezespan.reports.svg import format_tick, round_ticks


def widths(svg: str) -> list[float]:
    bars = [element for element in ElementTree.fromstring(svg).iter() if element.tag == "rect"]
    return [float(bar.attrib["width"]) for bar in bars]


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (0.31, 0.48, 5, [0.35, 0.4, 0.45]),
        (0, 30720, 3, [0, 20000]),
        (2, 2, 5, [2]),
    ],
)
def test_ticks_are_round(low: float, high: float, count: int, expected: list[float]) -> None:
    assert round_ticks(low, high, count) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "0.05"), (9000, "9000"), (20000, "20k"), (2.5e6, "2.5M")]
)
def test_ticks_are_short(value: float, text: str) -> None:
    assert format_tick(value) == text


def test_a_curve_keeps_its_shape_and_leaves_out_what_is_no_number() -> None:
    points = [(0.0, 3.0), (10.0, float("nan")), (20.0, 1.0)]
    svg = line_chart([Line("loss <1>", "red", points)], title="loss", x_label="images")
    assert svg is not None
    root = ElementTree.fromstring(svg)
    (curve,) = (element for element in root.iter() if element.tag == "polyline")
    (x1, y1), (x2, y2) = (map(float, pair.split(",")) for pair in curve.attrib["points"].split())
    assert x1 < x2
    assert y1 < y2  # downwards on a screen
    assert "loss &lt;1&gt;" in svg


def test_no_points_no_chart() -> None:
    assert line_chart([Line("empty", "red", [])], title="loss", x_label="images") is None


def test_one_point_is_a_dot() -> None:
    svg = line_chart([Line("single", "red", [(100.0, 0.5)])], title="kNN", x_label="images")
    assert svg is not None
    assert svg.count("<circle") == 1


def test_long_curves_are_averaged() -> None:
    points = [(float(step), float(step % 2)) for step in range(10_000)]
    short = thin(points)
    assert len(short) <= 240
    assert all(0.4 < y < 0.6 for _, y in short)


def test_bars_are_as_long_as_their_shares() -> None:
    bars = [Bar("one", "red", 0.2, 0.15, 0.25), Bar("two", "blue", 0.4, 0.3, 0.5)]
    svg = interval_bars(bars, title="kNN", chance=0.1)
    short, long = widths(svg)
    assert long == pytest.approx(2 * short, rel=0.01)
    assert "one: 20.0%, 95% interval 15.0% to 25.0%" in svg
    assert "guessing gives 10%" in svg


def test_every_point_of_a_map_is_in_its_class() -> None:
    labels = torch.tensor([0, 1, 1, 2, 2, 2])
    svg = scatter(torch.randn(6, 2), labels, ["cat", "dog", "eel"], title="map")
    dots = [len(re.findall("M", path)) for path in re.findall(r'd="([^"]*)"', svg)]
    assert dots == [1, 2, 3]


def test_classes_have_colors_of_their_own() -> None:
    for classes in (10, 100):
        assert len({class_color(label, classes) for label in range(classes)}) == classes
