"""The report that every run leaves in its folder."""

import json
from pathlib import Path

import pytest
import torch
from legibility import assert_legible
from pages import read_page
from tiny_runs import make_gan, make_images, tiny_config

from squeezespan.data.specs import open_images
from squeezespan.distillation.distill import distill
from squeezespan.generators import load_generator
from squeezespan.reports.run import write_run_report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    gan = make_gan(folder / "gan.safetensors")
    config = tiny_config(make_images(folder / "images"), gan, train={"epochs": 2})
    return distill(config, folder / "a-run")


def test_a_run_leaves_a_page_with_every_section(run: Path) -> None:
    page = read_page(run / "report.html")
    assert page.sections == ["curves", "samples", "views", "settings", "provenance"]
    assert "Squeeze and Span: a-run" in page.text
    assert page.tags["img"] == 4  # real and generated, plain and augmented
    for curve in ("loss", "kNN", "invariance", "variance", "covariance", "learning rate"):
        assert f'aria-label="{curve}' in page.text


def test_the_page_loads_nothing(run: Path) -> None:
    page = read_page(run / "report.html")
    assert page.is_self_contained
    assert "http:" not in page.text
    assert "https:" not in page.text


def test_the_page_is_legible(run: Path, tmp_path: Path) -> None:
    assert_legible(run / "report.html", tmp_path)


def test_figures_of_the_page_are_those_of_the_metrics(run: Path) -> None:
    text = (run / "report.html").read_text()
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    accuracy = [record for record in records if record["kind"] == "knn"][-1]["knn_accuracy"]
    assert f"<b>{accuracy:.1%}</b>" in text
    assert "train.batch_size" in text


def test_without_images_the_page_shows_none(run: Path) -> None:
    page = read_page(write_run_report(run, None, None))
    assert "samples" not in page.sections
    assert "img" not in page.tags


def test_pictures_do_not_depend_on_global_random_state(run: Path) -> None:
    images = open_images(json.loads((run / "config.json").read_text())["data"], "train")
    generator = load_generator(run.parent / "gan.safetensors")
    pages = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        pages.append(write_run_report(run, images, generator).read_text())
    assert pages[0] == pages[1]


def test_names_from_outside_are_escaped(tmp_path: Path) -> None:
    gan = make_gan(tmp_path / "gan.safetensors")
    data = make_images(tmp_path / "images <b>&")
    config = tiny_config(data, gan, train={"epochs": 1}, monitor={"knn_every": 0})
    text = (distill(config, tmp_path / "run") / "report.html").read_text()
    assert "images <b>&" not in text
    assert "images &lt;b&gt;&amp;" in text
