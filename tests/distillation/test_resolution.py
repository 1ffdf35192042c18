"""At which resolution a student is trained, and how that is told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_runs import make_gan

from squeezespan.cli.main import main
from squeezespan.config import DistillConfig, config_from_dict
from squeezespan.data.sizes import Sizes
from squeezespan.distillation.resolution import settle_sizes
from squeezespan.errors import UserError
from squeezespan.gan.speed import GanSpeed

SHORT = [
    *("--device", "cpu", "--precision", "fp32", "--batch-size", "8", "--max-steps", "1"),
    *("--epochs", "1", "--student.arch", "resnet10-narrow", "--monitor.knn-every", "0"),
    *("--method.target", "squeeze", "--method.embed-dim", "8", "--method.hidden-dim", "8"),
    *("--method.regularize", "student", "--method.projector-layers", "2"),
]


def _sizes(side: int) -> Sizes:
    return Sizes(frozenset({(side, side)}), side)


def _config(**images: Any) -> DistillConfig:
    return config_from_dict({"data": f"folder:{images}", "images": images})


@pytest.mark.parametrize(
    ("stored", "gan", "asked", "side", "why"),
    [
        (256, 256, "auto", 256, ""),
        (256, 64, "auto", 64, "the GAN's"),
        (48, 64, "auto", 48, ""),
        (48, None, "auto", 48, ""),
        (4000, None, "auto", 256, "the most that auto takes"),
        (1024, 1024, "auto", 256, "the most that auto takes"),
        (4, 32, "auto", 8, "the least that auto takes"),
        (256, 256, 32, 32, "images.resolution"),
        (16, 32, 32, 32, "images.resolution"),
    ],
)
def test_auto_is_the_smaller_of_both(
    stored: int, gan: int | None, asked: int | str, side: int, why: str
) -> None:
    config, sizes = settle_sizes(_config(resolution=asked), _sizes(stored), gan)
    assert (config.images.resolution, config.images.side) == (side, side)
    assert (sizes.resolution, sizes.why) == (side, why)
    assert config.student.stem == ("cifar" if side <= 32 else "imagenet")


def test_a_gan_of_smaller_images_is_refused() -> None:
    with pytest.raises(UserError, match=r"32 pixels, fewer than images\.resolution, 64"):
        settle_sizes(_config(resolution=64), _sizes(256), 32)


def test_a_stem_that_is_given_stays() -> None:
    config = config_from_dict({"student": {"stem": "cifar"}, "images": {"resolution": 64}})
    assert settle_sizes(config, _sizes(64), None)[0].student.stem == "cifar"
    vit = config_from_dict({"student": {"arch": "vit_tiny_patch16_224"}})
    assert settle_sizes(vit, _sizes(32), None)[0].student.stem == "imagenet"


def test_auto_is_no_number_before_it_is_settled() -> None:
    with pytest.raises(ValueError, match="settles it"):
        _ = DistillConfig().images.side


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("inputs")
    random = np.random.default_rng(0)
    (folder / "images").mkdir()
    for number in range(20):
        pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    gan = make_gan(folder / "gan.safetensors", resolution=64)
    return ["--data", f"folder:{folder / 'images'}", "--gan", str(gan)]


def test_a_run_without_a_preset_keeps_the_pixels_and_says_so(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["distill", *SHORT, *inputs, "--out", str(out)]) == 0
    assert "of 18 images of 64 pixels, cpu" in (err := capsys.readouterr().err)
    assert "warning" not in err
    config = json.loads((out / "config.json").read_text())
    assert (config["images"]["resolution"], config["student"]["stem"]) == (64, "imagenet")
    # The command that began the run continues it, although it says auto.
    assert main(["distill", *SHORT, *inputs, "--out", str(out), "--resume"]) == 0
    assert "nothing to resume" in capsys.readouterr().err


def test_a_presets_resolution_stays_and_a_warning_says_what_is_lost(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "distill",
        "--preset",
        "squeeze-span-cifar10",
        *SHORT,
        *inputs,
        "--dry-run",
        "--json",
    ]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr()
    plan = json.loads(said.out)
    assert plan["config"]["images"]["resolution"] == 32
    count = plan["plan"]["train_images"]
    assert plan["images"] == f"{count} images of 64 pixels, brought to 32 (images.resolution)"
    assert "warning: 75% of the pixels of folder:" in said.err
    assert "--images.resolution 64 --student.stem auto keeps more of them" in said.err


_TRAINED = [
    *("--init.generator", "builtin:stylegan2-cifar10", "--generator.z-dim", "128"),
    *("--generator.w-dim", "256", "--generator.channel-base", "1536"),
    *("--generator.channel-max", "256", "--generator.mapping-layers", "2"),
    *("--generator.conv-clamp", "None"),
]


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of the published sizes take a CPU minutes."""
    monkeypatch.setattr("squeezespan.gan.train.measure_speed", lambda *_: GanSpeed(1.0, None))


@pytest.mark.usefixtures("unmeasured")
def test_the_gan_takes_the_images_resolution_too(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["gan", "train", *inputs[:2], "--max-steps", "1", "--batch-size", "4"]
    command += ["--device", "cpu", "--out", str(tmp_path / "run"), "--dry-run", "--json"]
    for options, side, sizes in (
        ([], 64, "20 images of 64 pixels"),
        (_TRAINED, 32, "20 images of 64 pixels, brought to 32"),
        (["--resolution", "16"], 16, "20 images of 64 pixels, brought to 16"),
        (["--preset", "stylegan2-cpu"], 32, "20 images of 64 pixels, brought to 32"),
    ):
        assert main([*command, *options]) == 0
        said = capsys.readouterr()
        plan = json.loads(said.out)
        assert (plan["config"]["resolution"], plan["sizes"]) == (side, sizes)
        lost = {64: "", 32: "75%", 16: "93%"}[side]
        assert (f"warning: {lost}" in said.err) == bool(lost)


@pytest.mark.usefixtures("unmeasured")
def test_sizes_that_are_no_power_of_two_are_rounded_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images").mkdir()
    for number in range(8):
        Image.new("RGB", (60, 48), (number, 9, 9)).save(tmp_path / "images" / f"{number}.png")
    command = ["gan", "train", "--data", f"folder:{tmp_path / 'images'}", "--max-steps", "1"]
    command += [
        "--batch-size",
        "4",
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "run"),
        "--dry-run",
        "--json",
    ]
    assert main(command) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["config"]["resolution"] == 32
    assert plan["sizes"] == "8 images of 60x48 pixels, their centred squares brought to 32"
