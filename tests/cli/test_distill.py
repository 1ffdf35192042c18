"""`squeezespan distill` from the command line: what it prints, writes, refuses and ends with."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import make_gan, make_images, read_metrics

from squeezespan.cli.main import main
from squeezespan.config import DistillConfig, load_config
from squeezespan.distillation.prepare import Parts
from squeezespan.distillation.speed import RunSpeed, StepSpeed
from squeezespan.models.student_file import load_backbone

TINY = [
    *(
        "--preset",
        "squeeze-span-paper-mini",
        "--epochs",
        "4",
        "--max-steps",
        "6",
        "--batch-size",
        "16",
    ),
    *("--device", "cpu", "--precision", "fp32", "--num-workers", "0"),
    *("--method.embed-dim", "16", "--method.hidden-dim", "16", "--method.projector-layers", "2"),
    *("--images.resolution", "16", "--monitor.log-every", "1"),
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("inputs")
    gan = make_gan(folder / "gan.safetensors")
    return ["--data", make_images(folder / "images"), "--gan", str(gan)]


def described(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert main(["distill", *argv, "--dry-run", "--json"]) == 0
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    return plan


@pytest.mark.parametrize("command", ["distill", "gan train"])
def test_a_mistyped_folder_to_resume_begins_no_training(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rum"
    assert main([*command.split(), "--out", str(out), "--resume", "--max-steps", "3"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"squeezespan: error: {out} holds no run to resume; to begin one")
    assert said.count("\n") == 1
    assert not out.exists()


def test_epochs_lift_a_presets_limit_of_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = RunSpeed(1.0, 7000.0, None)
    monkeypatch.setattr("squeezespan.distillation.distill.measure_run", lambda *_: speed)
    for options, steps in (([], 7000), (["--epochs", "150"], 10500), (["--epochs=150"], 10500)):
        command = ["distill", "--preset", "vicreg-real-mini", "--out", str(tmp_path / "run")]
        assert main([*command, *options, "--dry-run", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["plan"]["steps"] == steps


def test_a_run_leaves_a_backbone_and_its_story(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["distill", *TINY, *inputs, "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out / "student.safetensors")
    backbone = load_backbone(out)
    provenance = backbone.header["provenance"]
    assert provenance["images_seen"] == 96
    assert provenance["method"]["name"] == "squeeze-span"
    assert [line["step"] for line in read_metrics(out) if line["kind"] == "train"] == [*range(1, 7)]
    knn = read_metrics(out)[-1]
    assert (knn["kind"], knn["step"], knn["knn_queries"]) == ("knn", 6, 8)

    assert main(["distill", *TINY, *inputs, "--out", str(out)]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert main(["distill", "--out", str(out), "--resume"]) == 0
    assert "nothing to resume" in capsys.readouterr().err
    assert main(["distill", "--out", str(out), "--resume", "--seed", "1"]) == 2
    assert "--seed is 1" in capsys.readouterr().err


def test_what_a_generator_s_file_cannot_say_is_an_option(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = [(8, 8, 4), (8, 8, 4), (8, 8, 4), (8, 1, 4)]
    weights = {f"{i}.weight": torch.randn(a, b, k, k) for i, (a, b, k) in enumerate(layers)}
    torch.save(weights, tmp_path / "mnist.pth")
    out = tmp_path / "run"
    command = ["distill", *TINY, *inputs[:2], "--gan", str(tmp_path / "mnist.pth")]
    assert main([*command, "--out", str(out)]) == 2
    assert "say it with --paddings" in capsys.readouterr().err
    chosen = ["--paddings", "0,1,1,3", "--activation", "leaky_relu:0.1"]
    plan = described(capsys, *command[1:], *chosen, "--out", str(out))
    assert plan["config"]["opening"]["paddings"] == "0,1,1,3"
    assert main([*command, *chosen, "--out", str(out), "--max-steps", "1"]) == 0
    said = capsys.readouterr().err
    assert "tanh on the image (--output)" in said
    assert "--paddings" not in said
    assert load_config(out / "config.json").opening.activation == "leaky_relu:0.1"


def test_a_dry_run_tells_everything_and_writes_nothing(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    plan = described(capsys, *TINY, *inputs, "--out", str(out))
    assert list(tmp_path.iterdir()) == []
    assert plan["out"] == str(out)
    assert plan["config"]["train"]["batch_size"] == 16
    assert plan["plan"] == {
        "train_images": 72,
        "held_out_images": 8,
        "steps_per_epoch": 4,
        "steps": 6,
        "epochs": 1.5,
        "images": 96,
        "synthetic_batch": 8,
        "real_batch": 8,
    }
    assert 0 < plan["seconds_per_step"] < 100
    assert plan["hours"] * 3600 == pytest.approx(6 * plan["seconds_per_step"], abs=2)
    assert 0.05 < plan["memory_gb"] < 100


def test_a_dry_run_fits_on_a_screen(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["distill", *TINY, *inputs, "--out", str(tmp_path / "run"), "--dry-run"]
    assert main(command) == 0
    page = capsys.readouterr().out.splitlines()
    assert len(page) <= 40
    assert max(map(len, page)) <= 100
    rows = dict(re.split("  +", line, maxsplit=1) for line in page if re.match("[a-z]+  ", line))
    assert rows["length"] == "6 steps of 16 images (8 synthetic, 8 real), 1.5 epochs"
    assert rows["out"].startswith(str(tmp_path / "run"))
    assert "--method.embed-dim 16" in " ".join(page)
    assert re.match(r"\d+ s \([\d.]+ s a step, measured here\), checks not counted", rows["time"])
    assert re.fullmatch(r"[\d.]+ GB", rows["memory"])


def test_a_dry_run_refuses_a_folder_that_a_run_could_not_be_in(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").touch()
    for out, message in (
        ("run", "already holds a run (metrics.jsonl); continue it with --resume or choose another"),
        ("file", "is a file; --out must name a folder"),
        ("file/run", "file is a file; give --out another path"),
    ):
        command = ["distill", *TINY, *inputs, "--out", str(tmp_path / out), "--dry-run"]
        assert main(command) == 2
        printed = capsys.readouterr()
        assert message in printed.err
        assert printed.out == ""


def test_a_step_of_minutes_is_reckoned_from_a_few_images(
    inputs: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = []

    def slow(config: DistillConfig, parts: Parts) -> StepSpeed:
        measured.append(config.train.batch_size)
        assert parts.plan.steps == 5
        return StepSpeed(config.train.batch_size * 0.5, 3.0)

    monkeypatch.setattr("squeezespan.distillation.speed.measure_step", slow)
    batch = ["--batch-size", "32", "--optim.accumulate", "2", "--max-steps", "8"]
    plan = described(capsys, *TINY, *inputs, "--out", str(tmp_path / "run"), *batch)
    assert measured == [16]
    assert plan["seconds_per_step"] == 16
    assert plan["hours"] == pytest.approx((8 * 16 + 3) / 3600, abs=1e-3)
    assert plan["memory_gb"] is None


def test_settings_of_a_file_are_taken_and_can_be_changed(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = described(capsys, *TINY, *inputs, "--out", str(tmp_path / "run"))
    (tmp_path / "config.json").write_text(json.dumps(plan["config"]))
    changed = described(
        capsys,
        *("--config", str(tmp_path / "config.json"), "--seed", "5", "--out", str(tmp_path / "b")),
    )
    assert changed["config"] == {**plan["config"], "train": {**plan["config"]["train"], "seed": 5}}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--optim.accumulate", "3"], "8 synthetic images a step"),
        (["--batch-size", "800"], "only 72 images"),
        (["--method.alpha", "7"], "error: --method.alpha is 7.0"),
        (["--optim.warmup-epochs", "9"], "error: --optim.warmup-epochs is 9, longer than the 4"),
        (["--json"], "--json is for --dry-run"),
        (["--source.blocks", "b4-b64"], "no block 'b64'"),
        (["--student.arch", "resnet81"], "no architecture 'resnet81'"),
        (["--gan", "nowhere.safetensors"], "no checkpoint file nowhere.safetensors"),
        (["--gan", "None"], "error: --method.alpha is 0.5, which needs a generator"),
        (["--images.resolution", "64"], "32 pixels, fewer than images.resolution, 64"),
        (["--data", "folder:nowhere"], "nowhere"),
        (["--device", "abacus"], "unknown device"),
        (["--precision", "fp16"], "fp16 needs a GPU"),
        (["--preset", "squeeze-spam-mini"], "mean squeeze-span-mini?"),
        (["--config", "nowhere.json"], "give one of them"),
        (["--optim.base-lrr", "1"], "--optim.base-lr"),
        (["--monitor.loggers", "tensorbord"], "tensorboard"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    argv: list[str],
    message: str,
    inputs: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    assert main(["distill", *TINY, *inputs, "--out", str(out), *argv]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not out.exists()


def test_a_loss_that_is_no_number_ends_with_code_1(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [*TINY, *inputs, "--out", str(tmp_path / "run"), "--optim.base-lr", "1e12"]
    assert main(["distill", *argv]) == 1
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line.startswith("squeezespan: error: the loss stopped being a finite number")


def test_ctrl_c_writes_a_checkpoint_and_ends_with_code_130(
    inputs: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    argv = [*TINY, *inputs, "--out", str(out), "--max-steps", "1000", "--epochs", "1000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "squeezespan", "distill", *argv],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    metrics = out / "metrics.jsonl"
    while process.poll() is None and not (metrics.exists() and metrics.stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "continue with --resume" in error
    assert len(list((out / "checkpoints").iterdir())) == 1
