"""Scores at the snapshots of a GAN training."""

import dataclasses
from pathlib import Path

import pytest
import torch
from tiny_gans import tiny_gan
from tiny_runs import make_images, make_student_file, read_metrics

from squeezespan.errors import UserError
from squeezespan.gan.config import GanMonitorConfig, GanTrainConfig
from squeezespan.gan.train import describe_gan_run, train_gan
from squeezespan.generators import load_generator, read_generator_header


@pytest.fixture
def judge(tmp_path: Path) -> str:
    return str(make_student_file(tmp_path / "judge.safetensors"))


def scored(data: str, judge: str, **monitor: object) -> GanTrainConfig:
    settings = {"score_images": 110, "held_out": 0.5, "judges": (judge,), **monitor}
    return dataclasses.replace(tiny_gan(data), monitor=GanMonitorConfig(**settings))  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> str:
    return make_images(tmp_path / "images", per_class=120)


def test_snapshots_are_scored_on_held_out_images_and_the_best_is_kept(
    data: str, judge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUEEZESPAN_CACHE", str(tmp_path / "cache"))
    config = scored(data, judge)
    run = train_gan(config, tmp_path / "run")
    lines = [line for line in read_metrics(run) if line["kind"] == "snapshot"]
    assert len(lines) == len(list((run / "snapshots").iterdir())) >= 2
    for line in lines:
        assert line["kernel_judge_low"] < line["kernel_judge"] < line["kernel_judge_high"]
        assert 0 <= line["precision_judge"] <= 1
        assert 0 <= line["recall_judge"] <= 1
        assert line["frechet_judge"] > 0
    best = min(lines, key=lambda line: line["kernel_judge"])
    provenance = read_generator_header(run / "best.safetensors")["provenance"]
    assert provenance["kimg"] == best["kimg"]
    assert provenance["scores"]["kernel_judge"] == best["kernel_judge"]
    snapshot = load_generator(run / "snapshots" / f"generator-{best['kimg']:010.3f}.safetensors")
    kept = load_generator(run / "best.safetensors").state_dict()
    assert all(torch.equal(kept[name], x) for name, x in snapshot.state_dict().items())
    page = (run / "report.html").read_text("utf-8")
    assert "kernel distance x 1000 by judge" in page
    assert "best.safetensors" in page
    resumed = train_gan(
        dataclasses.replace(config, train=dataclasses.replace(config.train, max_steps=6)),
        tmp_path / "parts",
    )
    train_gan(config, resumed, resume=True)
    assert [x for x in read_metrics(resumed) if x["kind"] == "snapshot"][-1] == lines[-1]
    assert read_generator_header(resumed / "best.safetensors")["provenance"]["kimg"] == best["kimg"]


def test_a_dry_run_says_what_is_held_out(data: str, judge: str, tmp_path: Path) -> None:
    plan = describe_gan_run(scored(data, judge, held_out=0.4), tmp_path / "run")
    assert plan["held_out_images"] == pytest.approx(0.4 * (plan["images"] / 0.6), abs=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"held_out": 0.1}, r"scores need 100 images on each side, but \d+ are held out"),
        ({"score_images": 50}, "and 50 drawn"),
        ({"judges": ()}, "scores need a judge"),
        ({"judges": ("nobody.safetensors",)}, "nobody"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_is_written(
    changes: dict[str, object], words: str, data: str, judge: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=words):
        train_gan(scored(data, judge, **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_two_judges_of_one_name_are_refused(data: str, judge: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="have one name"):
        train_gan(scored(data, judge, judges=(judge, judge)), tmp_path / "run")
