"""`gan train --preset auto`: settings by the images and the device."""

import json
from pathlib import Path

import pytest
from PIL import Image
from tiny_runs import make_images

from squeezespan.cli.main import main
from squeezespan.gan.config import validate_gan
from squeezespan.presets.gan_auto import auto_gan_config, auto_gan_preset


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("side", [8, 16, 32, 64, 128, 256, 512, 1024])
@pytest.mark.parametrize("images", [60, 5000])
def test_every_size_gives_settings_that_hold_together(side: int, images: int, device: str) -> None:
    config = auto_gan_config(side, images, device)
    validate_gan(config)
    assert config.side == side
    assert config.loss.r1_gamma == pytest.approx(0.0002 * side**2 / config.train.batch_size)
    assert config.generator.channel_base == config.discriminator.channel_base


def test_on_a_gpu_they_are_the_published_ones() -> None:
    config = auto_gan_config(256, 70000, "cuda")
    assert config.train.batch_size == 16
    assert config.train.kimg == 25000
    assert config.loss.r1_gamma == pytest.approx(0.8192)
    assert config.loss.ema_kimg == 5
    assert config.generator.channel_base == 16384
    assert config.discriminator.mbstd_group_size == 4
    assert auto_gan_config(1024, 70000, "cuda").train.learning_rate == 0.002
    assert auto_gan_config(512, 70000, "cuda").generator.channel_base == 32768


def test_few_images_train_shorter_and_are_augmented_sooner() -> None:
    few, many = (auto_gan_config(64, images, "cpu") for images in (4999, 5000))
    assert few.train.kimg < many.train.kimg
    assert few.augment.speed_kimg < many.augment.speed_kimg


def photos(folder: Path, width: int, height: int, count: int) -> str:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (width, height), (number, 90, 200)).save(folder / f"{number}.png")
    return f"folder:{folder}"


def test_the_images_decide_on_the_resolution_and_flags_on_what_follows(tmp_path: Path) -> None:
    data = photos(tmp_path / "photos", 60, 48, 5)
    config = auto_gan_preset(data, device="cpu")
    assert (config.data, config.resolution) == (data, 32)
    larger = auto_gan_preset(data, resolution=64, batch_size=6, device="cpu")
    assert larger.loss.r1_gamma == pytest.approx(0.0002 * 64**2 / 6)
    assert larger.discriminator.mbstd_group_size == 3


def dry_run(capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, object]:
    command = ["gan", "train", "--preset", "auto", "--device", "cpu", "--dry-run", "--json"]
    assert main([*command, *flags]) == 0
    plan: dict[str, object] = json.loads(capsys.readouterr().out)
    return plan


def test_a_dry_run_says_what_it_takes_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = photos(tmp_path / "photos", 20, 16, 40)
    out = tmp_path / "run"
    narrow = ["--generator.channel-max", "8", "--discriminator.channel-max", "8"]
    plan = dry_run(capsys, "--data", data, "--out", str(out), "--kimg", "3.2", *narrow)
    assert not out.exists()
    config = auto_gan_config(16, 40, "cpu")
    assert plan["steps"] == 3200 / config.train.batch_size
    seconds, hours, memory = (plan[name] for name in ("seconds_per_kimg", "hours", "memory_gb"))
    assert isinstance(seconds, float)
    assert 0 < seconds < 1000
    assert hours == pytest.approx(3.2 * seconds / 3600, abs=0.01)
    assert isinstance(memory, float)
    assert 0.1 < memory < 50


def test_the_sizes_of_what_it_starts_from_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_images(tmp_path / "images")
    flags = ["--data", data, "--out", str(tmp_path / "run"), "--batch-size", "4"]
    plan = dry_run(capsys, *flags, "--init.generator", "builtin:stylegan2-cifar10")
    config = plan["config"]
    assert isinstance(config, dict)
    assert config["resolution"] == 32
    assert config["generator"] == {
        "family": "stylegan2",
        "base_width": 128,
        "z_dim": 128,
        "w_dim": 256,
        "channel_base": 1536,
        "channel_max": 256,
        "mapping_layers": 2,
        "conv_clamp": None,
    }


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--out", "run"], "name them with --data"),
        (["--data", "folder:nowhere", "--out", "run"], "nowhere"),
    ],
)
def test_what_is_missing_is_said(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gan", "train", "--preset", "auto", *flags]) == 2
    assert words in capsys.readouterr().err


def test_it_is_told_apart_from_students_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", "--preset", "auto", "--out", "run"]) == 2
    assert "one of `squeezespan gan train`" in capsys.readouterr().err
    assert main(["presets", "auto"]) == 2
    assert "--dry-run" in capsys.readouterr().err
