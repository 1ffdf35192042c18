"""The report that a GAN's training leaves in its folder."""

import json
from pathlib import Path

import pytest
import torch
from legibility import assert_legible
from pages import read_page
from tiny_runs import make_images

from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.train import train_gan
from squeezespan.reports.gan import write_gan_report
from squeezespan.settings import from_dict


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gan-report")
    settings = {
        "data": make_images(folder / "images <b>&"),
        "resolution": 16,
        "train": {"batch_size": 4, "max_steps": 10, "precision": "fp32", "snapshot_kimg": 0.02},
        "generator": {"z_dim": 8, "w_dim": 8, "channel_base": 64, "channel_max": 8},
        "discriminator": {"channel_base": 64, "channel_max": 8},
    }
    return train_gan(from_dict(GanTrainConfig, settings, where="test"), folder / "a-run")


def test_a_run_leaves_a_page_with_every_section(run: Path) -> None:
    page = read_page(run / "report.html")
    assert page.sections == ["samples", "course", "curves", "settings", "provenance"]
    assert "GAN training: a-run" in page.text
    assert page.tags["img"] == 3  # real, generated, the same latents over time
    assert "after 0.02, 0.04 thousand real images" in page.text
    for curve in ("loss", "discriminator's output", "augmentation p"):
        assert f'aria-label="{curve} over' in page.text


def test_the_page_is_whole_and_escapes_names(run: Path) -> None:
    page = read_page(run / "report.html")
    assert page.is_self_contained
    assert "images <b>&" not in page.text
    assert "images &lt;b&gt;&amp;" in page.text


def test_the_page_is_legible(run: Path, tmp_path: Path) -> None:
    assert_legible(run / "report.html", tmp_path)


def test_figures_of_the_page_are_those_of_the_metrics(run: Path) -> None:
    text = (run / "report.html").read_text()
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert f"<b>{last['kimg']:.4g}</b>" in text
    assert f"of training, {last['step']} steps" in text


def test_pictures_that_a_user_puts_beside_the_grids_do_no_harm(run: Path) -> None:
    (run / "samples" / "favourites.png").write_bytes(b"")
    page = read_page(write_gan_report(run, torch.zeros(3, 3, 16, 16, dtype=torch.uint8)))
    assert page.tags["img"] == 3
