"""A run that is stopped in any way and resumed ends like one that was not."""

import os
import random
import signal
import time
from dataclasses import replace
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from crashes import CrashError, crash_before
from PIL import Image
from safetensors.torch import load_file
from tiny_runs import make_gan, make_images, read_metrics, tiny_config
from untrusted.content import Call, Canary

from squeezespan.cli.main import main
from squeezespan.config import DistillConfig
from squeezespan.distillation.distill import distill
from squeezespan.distillation.job import StudentJob
from squeezespan.errors import UserError
from squeezespan.models.student_file import load_backbone

_DEADLINE = 600.0
"""Seconds after which a process is given up, on however busy a machine."""


def start(context: ForkServerContext, config: DistillConfig, out: Path) -> ForkServerProcess:
    process = context.Process(target=distill, args=(config, out, True))
    process.start()
    return process


def finish(process: ForkServerProcess) -> int:
    process.join(_DEADLINE)
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture(scope="module")
def undisturbed(
    server: ForkServerContext, config: DistillConfig, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    assert finish(start(server, config, out)) == 0
    return out


def assert_same_run(run: Path, reference: Path) -> None:
    assert_equal(*(load_file(folder / "student.safetensors") for folder in (run, reference)))
    assert read_metrics(run) == read_metrics(reference)
    last, expected = (newest_state(folder) for folder in (run, reference))
    assert_equal(last["method"], expected["method"])
    assert_equal(last["optimizer"]["state"], expected["optimizer"]["state"])


def newest_state(run: Path) -> dict[str, Any]:
    newest = max((run / "checkpoints").glob("*.pt"))
    state: dict[str, Any] = torch.load(newest, weights_only=True)["state"]["job"]
    return state


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


def steps_saved(run: Path) -> int:
    names = [path.stem for path in (run / "checkpoints").glob("step-*.pt")]
    return max((int(name.removeprefix("step-")) for name in names), default=0)


def wait_for_step(run: Path, process: ForkServerProcess, step: int) -> None:
    deadline = time.monotonic() + _DEADLINE
    while steps_saved(run) < step and process.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def train_killed_at_random_moments(
    server: ForkServerContext, config: DistillConfig, run: Path, seed: int
) -> None:
    moments = random.Random(seed)
    for step in sorted(moments.sample(range(1, 16), 4)):
        process = start(server, config, run)
        wait_for_step(run, process, step)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        finish(process)
    assert finish(start(server, config, run)) == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_at_random_moments(
    seed: int, server: ForkServerContext, config: DistillConfig, undisturbed: Path, tmp_path: Path
) -> None:
    train_killed_at_random_moments(server, config, tmp_path / "run", seed)
    assert_same_run(tmp_path / "run", undisturbed)


def test_killed_at_random_moments_with_a_measured_target(
    server: ForkServerContext, standardized: DistillConfig, tmp_path: Path
) -> None:
    assert finish(start(server, standardized, tmp_path / "undisturbed")) == 0
    train_killed_at_random_moments(server, standardized, tmp_path / "run", 2)
    assert_same_run(tmp_path / "run", tmp_path / "undisturbed")


def test_broken_off_at_an_epochs_end_beside_it_and_twice_in_a_row(
    config: DistillConfig, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An epoch has four steps, and the monitor runs after two epochs.
    moments = [3, 4, 5, 7, 8, 8, 9, 15]
    crash_before(monkeypatch, StudentJob, moments)
    while moments:
        with pytest.raises(CrashError):
            distill(config, tmp_path / "run", resume=True)
    distill(config, tmp_path / "run", resume=True)
    assert_same_run(tmp_path / "run", undisturbed)


def test_many_patches_and_lars_go_on_as_if_nothing_had_been(
    data: str, gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(
        data,
        gan,
        method={"name": "emp-ssl", "alpha": 0.5, "patches": 3},
        optim={"optimizer": "lars", "nesterov": True},
        train={"max_steps": 4},
        monitor={"knn_every": 0},
    )
    distill(config, tmp_path / "undisturbed")
    moments = [2]
    crash_before(monkeypatch, StudentJob, moments)
    while moments:
        with pytest.raises(CrashError):
            distill(config, tmp_path / "run", resume=True)
    distill(config, tmp_path / "run", resume=True)
    assert_same_run(tmp_path / "run", tmp_path / "undisturbed")


def test_killed_before_the_first_checkpoint(
    server: ForkServerContext, config: DistillConfig, undisturbed: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = start(server, config, run)
    while not (run / "config.json").exists():
        time.sleep(0.001)
    process.kill()
    finish(process)
    assert finish(start(server, config, run)) == 0
    assert_same_run(run, undisturbed)


def test_sigterm_writes_a_checkpoint_first(
    server: ForkServerContext, config: DistillConfig, undisturbed: Path, tmp_path: Path
) -> None:
    rarely = replace(config, train=replace(config.train, checkpoint_minutes=60.0))
    run = tmp_path / "run"
    process = start(server, rarely, run)
    while not (run / "metrics.jsonl").exists() or not (run / "metrics.jsonl").stat().st_size:
        time.sleep(0.002)
    process.terminate()
    assert finish(process) == 128 + signal.SIGTERM
    step = steps_saved(run)
    assert 2 <= step < 16
    # What was learnt up to here can be used already.
    provenance = load_backbone(run).header["provenance"]
    assert (provenance["finished"], provenance["images_seen"]) == (False, step * 16)
    assert (run / "report.html").exists()
    assert read_metrics(run)[-1]["step"] in (step, step - 1)
    assert finish(start(server, rarely, run)) == 0
    assert_same_run(run, undisturbed)
    assert load_backbone(run).header["provenance"]["finished"]


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    server: ForkServerContext,
    config: DistillConfig,
    undisturbed: Path,
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    process = start(server, config, run)
    wait_for_step(run, process, 6)
    process.kill()
    finish(process)
    newest = max((run / "checkpoints").glob("*.pt"))
    newest.write_bytes(newest.read_bytes()[:5000])
    assert finish(start(server, config, run)) == 0
    assert_same_run(run, undisturbed)


def test_resuming_a_finished_run_says_so_and_changes_nothing(
    undisturbed: Path, config: DistillConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    distill(config, undisturbed, resume=True)
    assert "finished run" in capfd.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == before


def test_a_run_leaves_no_half_written_files(undisturbed: Path) -> None:
    names = {path.name for path in undisturbed.iterdir()}
    assert names == {
        ".lock",
        "checkpoints",
        "config.json",
        "environment.json",
        "metrics.jsonl",
        "report.html",
        "student.safetensors",
    }
    assert len(list((undisturbed / "checkpoints").iterdir())) == 2


def test_other_images_under_the_same_name_are_refused(
    config: DistillConfig, tmp_path: Path
) -> None:
    data = make_images(tmp_path / "images")
    short = replace(config, data=data, train=replace(config.train, max_steps=2))
    run = distill(short, tmp_path / "run")
    (run / "student.safetensors").unlink()
    image = next((tmp_path / "images").rglob("*.png"))
    Image.new("RGB", (16, 16), "red").save(image)
    with pytest.raises(UserError, match=r"cannot resume .* has other images"):
        distill(short, run, resume=True)


def test_another_generator_under_the_same_name_is_refused(
    config: DistillConfig, gan: Path, tmp_path: Path
) -> None:
    own = tmp_path / "gan.safetensors"
    own.write_bytes(gan.read_bytes())
    short = replace(config, gan=str(own), train=replace(config.train, max_steps=2))
    run = distill(short, tmp_path / "run")
    (run / "student.safetensors").unlink()
    make_gan(own, w_dim=8)
    with pytest.raises(UserError, match=r"cannot resume .*gan\.safetensors is another file"):
        distill(short, run, resume=True)


def _stopped_run(config: DistillConfig, out: Path) -> list[Path]:
    """Train two steps and take the student away, as if there were more to do."""
    run = distill(replace(config, train=replace(config.train, max_steps=2)), out)
    (run / "student.safetensors").unlink()
    return sorted((run / "checkpoints").iterdir())


def test_going_on_from_a_stranger_s_checkpoint_ends_in_one_line(
    config: DistillConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = Canary(tmp_path / "canary")
    for path in _stopped_run(config, tmp_path / "run"):
        torch.save({"format": 2, "step": 1, "state": Call(os.system, canary.command)}, path)
    assert main(["distill", "--out", str(tmp_path / "run"), "--resume"]) == 2
    assert not canary.path.exists()
    told = capsys.readouterr().err.splitlines()
    assert "asks for posix.system" in told[-2]
    assert "no checkpoint in" in told[-1]
    assert "start again with another --out" in told[-1]


@pytest.mark.parametrize("part", ["method", "optimizer", "low_in_a_row"])
def test_a_checkpoint_of_another_training_ends_in_one_line(
    part: str, config: DistillConfig, tmp_path: Path
) -> None:
    for path in _stopped_run(config, tmp_path / "run"):
        content = torch.load(path, weights_only=True)
        content["state"]["job"][part] = {"x": torch.zeros(2)}
        torch.save(content, path)
    short = replace(config, train=replace(config.train, max_steps=2))
    with pytest.raises(UserError, match=r"does not fit this run \(.*\); start again") as caught:
        distill(short, tmp_path / "run", resume=True)
    assert "\n" not in str(caught.value)
