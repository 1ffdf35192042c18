"""Projected GAN from settings to a folder: what it leaves, what its files say, what is refused."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from crashes import CrashError, crash_before
from gan.tiny_projected import make_student, tiny_projected
from safetensors.torch import load_file
from tiny_runs import make_images, tiny_config

from squeezespan.cli.main import main
from squeezespan.discriminators.files import load_discriminator
from squeezespan.discriminators.projected.files import load_projected
from squeezespan.distillation.distill import distill
from squeezespan.errors import UserError
from squeezespan.gan.combinations import partial_judges
from squeezespan.gan.config import GanOriginConfig, validate_gan
from squeezespan.gan.job import GanJob
from squeezespan.gan.train import train_gan
from squeezespan.generators import load_generator, read_generator_header
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.models.student_file import load_backbone
from squeezespan.presets.gan import GAN_PRESETS

SECRET = "labels of another set"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_student(tmp_path_factory.mktemp("student"), saw=[SECRET])


@pytest.fixture(scope="module")
def whole(data: str, student: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tiny_projected(student, data, family="fastgan-lite", conditional=True)
    return train_gan(config, tmp_path_factory.mktemp("runs") / "whole")


def assert_same(run: Path, reference: Path) -> None:
    for name in ("generator.safetensors", "discriminator.safetensors"):
        ours, theirs = load_file(run / name), load_file(reference / name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_run_leaves_a_generator_and_says_what_it_saw(whole: Path, student: str) -> None:
    generator = load_generator(whole)
    assert isinstance(generator, FastGANGenerator)
    assert (generator.config.lite, generator.config.num_classes) == (True, 4)
    provenance = read_generator_header(whole)["provenance"]
    assert provenance["features"]["network"] == student
    assert provenance["saw"][0] == "class labels of the images"
    assert provenance["saw"][1].startswith(f"{SECRET}, by way of student")
    page = (whole / "report.html").read_text()
    assert SECRET in page
    assert "DiffAugment" in page
    discriminator, story = load_projected(whole)
    assert story["features"] == provenance["features"]
    assert not any("backbone" in name for name in discriminator.state_dict())
    with pytest.raises(UserError, match=r"projected discriminator.*\(--init\.discriminator\)"):
        load_discriminator(whole)


def test_whoever_learns_from_it_repeats_what_it_saw(
    whole: Path, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gan", "inspect", str(whole), "--batch-size", "2"]) == 0
    assert SECRET in capsys.readouterr().out
    train = {"epochs": 1, "max_steps": 2, "batch_size": 16, "device": "cpu", "precision": "fp32"}
    config = tiny_config(data, whole, train=train)
    distill(config, tmp_path / "student")
    saw = load_backbone(tmp_path / "student").header["provenance"]["saw"]
    assert len(saw) == 2
    assert SECRET in saw[1]
    assert f"by way of the GAN {whole}" in saw[1]
    images = tmp_path / "images"
    for split in ("train", "test"):
        shutil.copytree(Path(data.removeprefix("folder:")) / "train", images / split)
    probe = ["probe", str(tmp_path / "student"), "--data", f"folder:{images}", "--protocol", "knn"]
    capsys.readouterr()
    assert main([*probe, "--device", "cpu"]) == 0
    assert SECRET in capsys.readouterr().out
    score = ["gan", "score", str(whole), "--data", data, "--num-images", "8", "--device", "cpu"]
    assert main(score) == 0
    assert SECRET in capsys.readouterr().out


def test_killed_and_resumed_equals_undisturbed(
    whole: Path, data: str, student: str, tmp_path: Path
) -> None:
    config = tiny_projected(student, data, family="fastgan-lite", conditional=True)
    run = tmp_path / "killed"
    process = multiprocessing.get_context("forkserver").Process(
        target=train_gan, args=(config, run)
    )
    process.start()
    deadline = time.monotonic() + 120
    wanted = run / "checkpoints" / "step-000000002.pt"
    while not wanted.exists() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    train_gan(config, run, resume=True)
    assert_same(run, whole)


def test_broken_off_and_resumed_twice_in_a_row(
    data: str, student: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_projected(student, data)
    reference = train_gan(config, tmp_path / "undisturbed")
    moments = [2, 3]
    crash_before(monkeypatch, GanJob, moments)
    run = tmp_path / "run"
    while moments:
        with pytest.raises(CrashError):
            train_gan(config, run, resume=True)
    train_gan(config, run, resume=True)
    assert_same(run, reference)


def test_training_starts_from_trained_networks(
    whole: Path, data: str, student: str, tmp_path: Path
) -> None:
    init = GanOriginConfig(str(whole), str(whole / "discriminator.safetensors"))
    train = dataclasses.replace(tiny_projected(student).train, max_steps=1, learning_rate=1e-6)
    config = tiny_projected(student, data, family="fastgan-lite", conditional=True)
    config = dataclasses.replace(config, init=init, train=train)
    run = train_gan(config, tmp_path / "run")
    before, after = (load_file(x / "discriminator.safetensors") for x in (whole, run))
    name = "heads.0.cls.weight_orig"
    torch.testing.assert_close(before[name], after[name], rtol=0, atol=1e-5)
    provenance = read_generator_header(run)["provenance"]
    assert provenance["total_kimg"] == pytest.approx(7 * 4 / 1000)
    assert any(f"by way of {whole}" in item for item in provenance["saw"])
    other = tiny_projected(make_student(tmp_path / "other", seed=1), data, family="fastgan-lite")
    other = dataclasses.replace(other, init=init, conditional=True)
    with pytest.raises(UserError, match="judges the features of"):
        train_gan(other, tmp_path / "refused")
    plain = dataclasses.replace(tiny_projected(student, data), init=init)
    with pytest.raises(UserError, match="fastgan-lite, but the run trains a stylegan2"):
        train_gan(plain, tmp_path / "refused")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--discriminator.family", "projected"], "--loss.r1-gamma 0 --loss.path-length-weight 0"),
        (["--generator.family", "fastgan"], "--discriminator.family projected"),
        (["--projected.channels", "8"], "projected.channels is the projected discriminator's"),
        (["--preset", "projected-fastgan"], "64 to 1024"),
        (["--preset", "projected-cpu", "--projected.features", "vgg"], "timm:NAME or student:RUN"),
        (["--preset", "projected-cpu", "--micro-batch", "8"], "whole batches"),
        (["--preset", "projected-cpu", "--init.freeze-d", "2"], "always frozen"),
        (["--preset", "projected-cpu", "--discriminator.channel-max", "64"], "StyleGAN2's"),
        (["--preset", "projected-fastgan", "--generator.w-dim", "64"], "--generator.w-dim is"),
        (["--preset", "projected-cpu", "--projected.side", "64"], "--projected.side 128"),
        (["--generator.base-width", "64"], "FastGAN's"),
    ],
)
def test_what_does_not_go_together_gets_one_line(
    options: list[str], message: str, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none"
    assert main(["gan", "train", "--data", data, "--out", str(out), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not out.exists()


def test_a_judge_that_the_discriminator_has_too_is_told(student: str) -> None:
    config = tiny_projected(student)
    path = student.removeprefix("student:")
    for judges, count, told in (
        (("efficientnet-lite0", path), 100, [path]),
        (("efficientnet-lite0",), 100, []),
        ((path,), 0, []),
    ):
        monitor = dataclasses.replace(config.monitor, judges=judges, score_images=count)
        assert partial_judges(dataclasses.replace(config, monitor=monitor)) == told


@pytest.mark.parametrize("name", [name for name in GAN_PRESETS if name.startswith("projected")])
def test_presets_are_whole(name: str) -> None:
    config = GAN_PRESETS[name]()
    validate_gan(config)
    assert config.discriminator.family == "projected"
    assert json.dumps(dataclasses.asdict(config))
