"""The commands that the demo ends with."""

import shlex
import shutil
from pathlib import Path

import pytest
from tiny_runs import make_gan, make_images

from squeezespan.cli.main import main
from squeezespan.demo.next_steps import NEXT_STEPS, WITHOUT_GAN


def filled_in(command: str, folder: Path, images: str, gan: Path) -> list[str]:
    names = {"folder:IMAGES": images, "folder:LABELLED": images, "GAN": str(gan)}
    program, *words = (names.get(word, word) for word in shlex.split(command))
    assert program == "squeezespan"
    return [
        str(folder / word) if word.startswith(("runs/", "probe.html", "exported")) else word
        for word in words
    ]


def test_they_work_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = make_images(tmp_path / "images")
    shutil.copytree(tmp_path / "images" / "train", tmp_path / "images" / "test")
    gan = make_gan(tmp_path / "gan.safetensors", resolution=16)
    train, test, export = (filled_in(step, tmp_path, images, gan) for step in NEXT_STEPS)
    small = ["--student.arch=resnet10-narrow", "--source.statistics-images=64", "--batch-size=16"]
    small += ["--max-steps=2", "--device=cpu"]
    assert main([*train, *small]) == 0
    assert main([*test, "--device=cpu"]) == 0
    assert (tmp_path / "probe.html").is_file()
    assert main(export) == 0
    assert main([*filled_in(WITHOUT_GAN, tmp_path, images, gan), "--dry-run"]) == 0
    capsys.readouterr()
