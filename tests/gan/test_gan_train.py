"""`gan train` from the command line: what it leaves, and how it stops and goes on."""

import dataclasses
import json
import math
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from crashes import CrashError, crash_before
from PIL import Image
from safetensors.torch import load_file
from tiny_gans import STEPS, tiny_gan
from tiny_runs import make_images, read_metrics

from squeezespan.cli.main import main
from squeezespan.config import DistillConfig
from squeezespan.discriminators.files import load_discriminator
from squeezespan.errors import TrainingError, UserError
from squeezespan.files import file_sha256, write_json
from squeezespan.gan.config import GanOriginConfig
from squeezespan.gan.job import GanJob
from squeezespan.gan.train import gan_folder, train_gan
from squeezespan.generators import load_generator, read_generator_header
from squeezespan.runs.run_folder import RunState
from squeezespan.settings import to_dict


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def whole(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_gan(tiny_gan(data), tmp_path_factory.mktemp("runs") / "whole")


def assert_same(run: Path, reference: Path) -> None:
    for name in ("generator.safetensors", "discriminator.safetensors"):
        ours, theirs = load_file(run / name), load_file(reference / name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def image_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_a_run_leaves_what_the_contract_names(whole: Path, data: str) -> None:
    assert load_generator(whole).info.resolution == 16
    assert load_discriminator(whole / "discriminator.safetensors").config.resolution == 16
    provenance = read_generator_header(whole)["provenance"]
    assert provenance["data"] == data
    assert provenance["kimg"] == STEPS * 4 / 1000
    assert json.loads((whole / "config.json").read_text())["data"] == data
    (session,) = json.loads((whole / "environment.json").read_text())["sessions"]
    assert session["device"] == "cpu"
    last = json.loads((whole / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == STEPS
    grids = sorted((whole / "samples").glob("*.png"))
    assert grids
    assert image_size(grids[0]) == (160, 160)
    assert len(list((whole / "snapshots").glob("*.safetensors"))) == len(grids)


@pytest.mark.parametrize("kill_after", [2, 7])
def test_killed_and_resumed_equals_undisturbed(
    whole: Path, data: str, tmp_path: Path, kill_after: int
) -> None:
    run = tmp_path / "killed"
    process = multiprocessing.get_context("forkserver").Process(
        target=train_gan, args=(tiny_gan(data), run)
    )
    process.start()
    deadline = time.monotonic() + 120
    wanted = run / "checkpoints" / f"step-{kill_after:09d}.pt"
    while not wanted.exists() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    train_gan(tiny_gan(data), run, resume=True)
    assert_same(run, whole)
    assert len(json.loads((run / "environment.json").read_text())["sessions"]) == 2


def test_broken_off_at_an_epochs_end_beside_it_and_twice_in_a_row(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Twenty steps show all 80 images; every fifth leaves a snapshot.
    config = tiny_gan(data, max_steps=23)
    reference = train_gan(config, tmp_path / "undisturbed")
    moments = [4, 5, 6, 19, 20, 20, 21, 22]
    crash_before(monkeypatch, GanJob, moments)
    run = tmp_path / "run"
    while moments:
        with pytest.raises(CrashError):
            train_gan(config, run, resume=True)
    train_gan(config, run, resume=True)
    assert_same(run, reference)
    assert read_metrics(run) == read_metrics(reference)
    samples = [sorted(path.name for path in (x / "samples").iterdir()) for x in (run, reference)]
    assert samples[0] == samples[1]


def test_other_images_under_the_same_name_are_refused(tmp_path: Path) -> None:
    config = tiny_gan(make_images(tmp_path / "images"), max_steps=2)
    run = train_gan(config, tmp_path / "run")
    Image.new("RGB", (16, 16), "red").save(next((tmp_path / "images").rglob("*.png")))
    with pytest.raises(UserError, match=r"cannot resume .* has other images"):
        train_gan(tiny_gan(config.data, max_steps=3), run, resume=True)


def test_lazy_terms_are_logged_whatever_the_step(data: str, tmp_path: Path) -> None:
    run = train_gan(tiny_gan(data, max_steps=4), tmp_path / "run")
    (line,) = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    assert line["r1"] >= 0
    assert line["path_length"] > 0


def test_a_config_repeats_a_run(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["gan", "train", "--config", str(whole / "config.json"), "--out", str(tmp_path / "x")]
    assert main([*command, "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["config"] == json.loads((whole / "config.json").read_text())
    assert main([*command, "--preset", "stylegan2-cpu"]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_a_resumed_run_keeps_its_precision(data: str, tmp_path: Path) -> None:
    run = train_gan(tiny_gan(data, max_steps=2), tmp_path / "run")
    train_gan(tiny_gan(data, max_steps=3, precision="auto"), run, resume=True)
    assert json.loads((run / "config.json").read_text())["train"]["precision"] == "fp32"


def test_a_distillation_is_not_continued(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "config.json", to_dict(DistillConfig()))
    assert main(["gan", "train", "--data", data, "--out", str(tmp_path), "--resume"]) == 2
    assert "does not hold a GAN training that can be continued" in capsys.readouterr().err


def test_a_run_can_be_made_longer(whole: Path, data: str, tmp_path: Path) -> None:
    run = train_gan(tiny_gan(data, max_steps=5), tmp_path / "short")
    assert read_generator_header(run)["provenance"]["kimg"] == 0.02
    train_gan(tiny_gan(data), run, resume=True)
    assert_same(run, whole)


def test_another_runs_folder_is_refused(whole: Path, data: str) -> None:
    before = (whole / "generator.safetensors").read_bytes()
    with pytest.raises(UserError, match="already holds a run"):
        train_gan(tiny_gan(data), whole)
    with pytest.raises(UserError, match="--seed is 1"):
        train_gan(tiny_gan(data, seed=1), whole, resume=True)
    assert (whole / "generator.safetensors").read_bytes() == before


def test_losses_that_are_no_numbers_end_the_run(data: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="finite"):
        train_gan(tiny_gan(data, learning_rate=1e9, checkpoint_minutes=60), tmp_path / "broken")
    assert not (tmp_path / "broken" / "generator.safetensors").exists()


def test_nothing_broken_is_saved(data: str, tmp_path: Path) -> None:
    config = tiny_gan(data, learning_rate=1e8, discriminator_learning_rate=1e-3)
    # The generator's first step, the sixth of the run, breaks it.
    late = dataclasses.replace(config, init=GanOriginConfig(warmup_kimg=0.02))
    with pytest.raises(TrainingError, match="finite"):
        train_gan(late, tmp_path / "broken")
    saved = list((tmp_path / "broken" / "checkpoints").glob("*.pt"))
    assert saved
    for file in saved:
        state = torch.load(file, weights_only=True)["state"]
        for network in ("generator", "discriminator", "average"):
            weights = state["job"]["gan"][network].values()
            assert all(bool(tensor.isfinite().all()) for tensor in weights)
        assert all(math.isfinite(value) for value in state["numbers"].values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resolution", "24"], "power of two"),
        (["--batch-size", "6"], "multiple of"),
        (["--preset", "stylegan2-cpi"], "stylegan2-cpu"),
        (["--loss.r1-gama", "1"], "--loss.r1-gamma"),
        (["--learning-rate", "-1"], "--learning-rate"),
    ],
)
def test_impossible_settings_get_one_line(
    options: list[str], message: str, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none"
    assert main(["gan", "train", "--data", data, "--out", str(out), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not out.exists()


def test_dry_run_writes_nothing(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none"
    arguments = ["--preset", "stylegan2-cpu", "--data", data, "--kimg", "1", "--dry-run", "--json"]
    arguments += ["--batch-size", "8", "--resolution", "16"]
    assert main(["gan", "train", "--out", str(out), *arguments]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["steps"] == 125
    assert shown["config"]["generator"]["channel_base"] == 1536
    assert not out.exists()


def test_inspect_sample_and_convert(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gan", "inspect", str(whole), "--batch-size", "2"]) == 0
    shown = capsys.readouterr().out
    assert "stylegan2" in shown
    assert "b16" in shown
    grid = tmp_path / "grid.png"
    assert main(["gan", "sample", str(whole), "--out", str(grid), "--num-images", "6"]) == 0
    assert image_size(grid) == (48, 32)
    assert main(["gan", "sample", str(whole), "--out", str(grid)]) == 2
    assert main(["gan", "sample", str(whole), "--out", str(tmp_path / "x"), "--label", "1"]) == 2
    converted = tmp_path / "copy.safetensors"
    assert main(["gan", "convert", str(whole), "--out", str(converted)]) == 0
    original = load_file(whole / "generator.safetensors")
    assert all(torch.equal(x, original[name]) for name, x in load_file(converted).items())
    assert main(["gan", "shrink"]) == 2


def test_training_starts_from_trained_networks(data: str, whole: Path, tmp_path: Path) -> None:
    generator = whole / "generator.safetensors"
    discriminator = whole / "discriminator.safetensors"
    init = GanOriginConfig(str(generator), str(discriminator), warmup_kimg=0.008)
    config = tiny_gan(data, max_steps=2)
    config = dataclasses.replace(config, init=init)
    run = train_gan(config, tmp_path / "run")
    before, after = (load_file(path / "generator.safetensors") for path in (whole, run))
    assert all(torch.equal(before[name], after[name]) for name in before)
    before, after = (load_file(path / "discriminator.safetensors") for path in (whole, run))
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert moved
    far = [float((before[name] - after[name]).abs().max()) for name in moved]
    assert max(far) < 0.02
    provenance = read_generator_header(run / "generator.safetensors")["provenance"]
    assert provenance["init"]["generator_sha256"] == file_sha256(generator)
    assert provenance["total_kimg"] == pytest.approx((STEPS + 2) * 4 / 1000)


def test_a_started_training_goes_on_without_what_it_started_from(
    data: str, whole: Path, tmp_path: Path
) -> None:
    start = tmp_path / "start.safetensors"
    start.write_bytes((whole / "generator.safetensors").read_bytes())
    config = dataclasses.replace(
        tiny_gan(data, max_steps=4), init=GanOriginConfig(generator=str(start))
    )
    train_gan(config, tmp_path / "whole")
    train_gan(
        dataclasses.replace(config, train=dataclasses.replace(config.train, max_steps=2)),
        tmp_path / "parts",
    )
    start.unlink()
    train_gan(config, tmp_path / "parts", resume=True)
    assert_same(tmp_path / "parts", tmp_path / "whole")
    names = ("whole", "parts")
    headers = [read_generator_header(tmp_path / x / "generator.safetensors") for x in names]
    assert headers[0]["provenance"]["init"] == headers[1]["provenance"]["init"]


def test_a_start_of_another_size_is_refused_before_anything_is_written(
    data: str, whole: Path, tmp_path: Path
) -> None:
    config = tiny_gan(data)
    wide = dataclasses.replace(config.generator, channel_max=16)
    for init in (
        GanOriginConfig(generator=str(whole / "generator.safetensors")),
        GanOriginConfig(generator=str(tmp_path / "missing.safetensors")),
        GanOriginConfig(discriminator=str(whole / "generator.safetensors")),
    ):
        with pytest.raises(UserError, match=r"channel_max 8|no checkpoint|discriminator"):
            train_gan(dataclasses.replace(config, generator=wide, init=init), tmp_path / "refused")
        assert not (tmp_path / "refused").exists()


def test_the_discriminator_may_have_a_learning_rate_of_its_own(data: str, tmp_path: Path) -> None:
    states = {}
    for name, rate in (("same", None), ("equal", 0.0025), ("lower", 1e-6)):
        config = tiny_gan(data, max_steps=1, discriminator_learning_rate=rate)
        run = train_gan(config, tmp_path / name)
        states[name] = load_file(run / "discriminator.safetensors")["b4.out.weight"]
    assert torch.equal(states["same"], states["equal"])
    assert not torch.allclose(states["same"], states["lower"], atol=1e-4)


def test_a_run_leaves_its_networks_on_its_way(
    data: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_gan(data, checkpoint_minutes=1e-9)
    run = tmp_path / "run"
    crash_before(monkeypatch, GanJob, [7])
    with pytest.raises(CrashError):
        train_gan(config, run)
    provenance = read_generator_header(run)["provenance"]
    assert (provenance["kimg"], provenance["finished"]) == (0.028, False)
    assert gan_folder(run).check(config, resume=True) is RunState.STARTED
    assert load_generator(run).info.resolution == 16
    train_gan(config, run, resume=True)
    assert read_generator_header(run)["provenance"]["finished"]
    assert_same(run, whole)
    assert gan_folder(run).check(config, resume=True) is RunState.FINISHED
