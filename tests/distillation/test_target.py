"""Where the statistics of a standardized target come from, and where they are kept."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from squeezespan.config import DistillConfig
from squeezespan.distillation.distill import describe_run, distill
from squeezespan.generators import load_generator, pool_features
from squeezespan.models.student_file import load_backbone
from squeezespan.models.targets import RawTarget
from squeezespan.randomness import StepRandom
from squeezespan.runs.checkpoint import load_newest_checkpoint


@pytest.fixture(scope="module")
def run(standardized: DistillConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return distill(standardized, tmp_path_factory.mktemp("runs") / "run")


def test_they_are_those_of_images_that_the_seed_draws(run: Path, gan: Path) -> None:
    generator = load_generator(gan)
    batches = []
    for number, count in enumerate((50, 50, 20)):
        latents, noise = (
            StepRandom(0, number, stream=f"statistics-{kind}") for kind in ("latents", "noise")
        )
        drawn = generator(generator.sample_latents(count, latents), noise="random", random=noise)
        batches.append(RawTarget()(pool_features(drawn.features)))
    features = torch.cat(batches).double()
    target = load_backbone(run).header["target"]
    for name, expected in (("mean", features.mean(dim=0)), ("std", features.std(dim=0))):
        kept = torch.tensor([x for block in target[name].values() for x in block])
        torch.testing.assert_close(kept.double(), expected, rtol=1e-4, atol=1e-6)
    assert list(target["mean"]) == ["b4", "b8", "b16", "b32"]
    assert target["left_out"] == []


def test_a_checkpoint_keeps_them_and_a_resumed_run_does_not_measure_again(
    run: Path, standardized: DistillConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    found = load_newest_checkpoint(run / "checkpoints")
    assert found is not None
    target = load_backbone(run).header["target"]
    kept = found[1]["job"]["method"]["target.mean"].tolist()
    assert kept == pytest.approx([x for block in target["mean"].values() for x in block], rel=1e-6)
    (run / "student.safetensors").unlink()
    distill(standardized, run, resume=True)
    assert "measuring the target" not in capfd.readouterr().err
    assert load_backbone(run).header["target"] == target


def test_another_seed_measures_other_images(
    run: Path, standardized: DistillConfig, tmp_path: Path
) -> None:
    short = replace(standardized.train, max_steps=1, seed=1)
    other = distill(replace(standardized, train=short), tmp_path / "other")
    means = [load_backbone(folder).header["target"]["mean"] for folder in (run, other)]
    assert means[0] != means[1]


def test_planning_a_run_measures_a_hundred_images_at_most(
    standardized: DistillConfig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    many = replace(standardized.source, statistics_images=100_000)
    plan = describe_run(replace(standardized, source=many), tmp_path / "run")
    assert set(re.findall(r"measuring the target: \d+/(\d+)", capfd.readouterr().err)) == {"100"}
    assert json.dumps(plan["config"]["method"]["target"]) == '"standardized"'


def test_a_latent_can_be_the_target(standardized: DistillConfig, tmp_path: Path) -> None:
    source = replace(standardized.source, kind="latent")
    short = replace(standardized.train, max_steps=1)
    latent = distill(replace(standardized, source=source, train=short), tmp_path / "run")
    assert list(load_backbone(latent).header["target"]["mean"]) == ["w"]
