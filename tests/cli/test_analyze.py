"""`squeezespan analyze`."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_runs import make_gan, make_images

import squeezespan
from squeezespan.cli.main import main
from squeezespan.discriminators.files import save_discriminator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.errors import UserError
from squeezespan.models.backbones import build_backbone
from squeezespan.models.student_file import STUDENT_FILE, save_student
from squeezespan.results import CkaResult, ClassMap, MapResult


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator, a conditional one, a discriminator, two students and labelled images."""
    folder = tmp_path_factory.mktemp("analyze")
    make_gan(folder / "gan.safetensors")
    make_gan(folder / "conditional.safetensors", num_classes=4, resolution=16)
    sizes = StyleGAN2DiscriminatorConfig(16, channel_base=128, channel_max=16)
    torch.manual_seed(0)
    save_discriminator(folder / "d.safetensors", StyleGAN2Discriminator(sizes), {})
    header = {
        "arch": "resnet10-narrow",
        "stem": "cifar",
        "num_features": 256,
        "resolution": 16,
        "normalization": {"mean": [0.5] * 3, "std": [0.25] * 3},
    }
    for name in ("first", "second"):
        (folder / name).mkdir()
        save_student(
            folder / name / STUDENT_FILE, build_backbone("resnet10-narrow", "cifar", 16), header
        )
    make_images(folder / "images", per_class=30)
    shutil.copytree(folder / "images" / "train", folder / "images" / "test")
    return folder


def test_cka_leaves_figure_and_numbers(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cka"
    command = ["analyze", "cka", "--gan", str(files / "gan.safetensors"), "--discriminator"]
    command += [str(files / "d.safetensors"), "--student", str(files / "first")]
    command += ["--num-images", "24", "--batch-size", "8", "--out", str(out)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "generator: 7 layers, 21 pairs" in printed
    assert '"in the generator most similarity is lower than 0.8"' in printed
    result = json.loads((out / "cka.json").read_text())
    names = [(layer["network"], layer["name"]) for layer in result["layers"]]
    assert names[0] == ("generator", "b4.conv1")
    assert ("discriminator", "b16.conv0") in names
    assert ("student first", "layer4.0.conv2") in names
    similarity = torch.tensor(result["cka"])
    assert torch.allclose(similarity.diagonal(), torch.ones(len(names)))
    assert torch.allclose(similarity, similarity.T)
    assert [claim["verdict"] for claim in result["claims"]]
    rows = list(csv.reader((out / "cka.csv").read_text().splitlines()))
    assert rows[0][1] == rows[1][0] == "generator: b4.conv1"
    assert float(rows[2][1]) == pytest.approx(result["cka"][1][0])
    with Image.open(out / "cka.png") as picture:
        assert min(picture.size) > 500
    assert (out / "cka.pdf").read_bytes().startswith(b"%PDF")
    assert "layer4.0.conv2" in (out / "cka.svg").read_text()


def test_cka_of_students_on_real_images(files: Path) -> None:
    result = squeezespan.analyze.cka(
        student=[str(files / "first"), str(files / "second")],
        data=f"folder:{files / 'images'}",
        layers="blocks",
        num_images=120,
        batch_size=40,
    )
    assert result.keys() == CkaResult.__annotations__.keys()
    names = {layer["network"] for layer in result["layers"]}
    assert names == {"student first", "student second"}
    assert result["num_images"] == 120
    assert result["images"] == f"folder:{files / 'images'}"


def test_cka_is_the_same_for_any_way_of_generating(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"gan": str(files / "gan.safetensors"), "num_images": 16}
    settings["batch_size"] = 8
    whole = squeezespan.analyze.cka(noise="const", **settings)
    monkeypatch.setattr("squeezespan.evaluation.networks.usual_batch", lambda info: 3)
    parts = squeezespan.analyze.cka(noise="const", **settings)
    assert torch.allclose(torch.tensor(whole["cka"]), torch.tensor(parts["cka"]), atol=1e-4)


def test_map_classes_generated_images_by_a_probe_and_says_so(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "map"
    command = ["analyze", "map", "--gan", str(files / "gan.safetensors"), "--student"]
    command += [str(files / "first"), "--discriminator", str(files / "d.safetensors")]
    command += ["--data", f"folder:{files / 'images'}", "--method", "pca", "--num-images", "40"]
    assert main([*command, "--out", str(out)]) == 0
    said = "as logistic regression on student first sees them, which is right for"
    assert said in capsys.readouterr().out
    assert said in " ".join((out / "map.svg").read_text().split())
    result = json.loads((out / "map.json").read_text())
    shown = [(one["images"], one["features"], one["dimensions"]) for one in result["maps"]]
    assert shown == [
        ("generated", "generator features", 16 + 16 + 16 + 8),
        ("generated", "w", 16),
        ("generated", "discriminator features", 16 + 16 + 16),
        ("generated", "student first", 256),
        ("real", "discriminator features", 48),
        ("real", "student first", 256),
    ]
    assert all(0 <= one["knn_interval"][0] <= one["knn"] <= 1 for one in result["maps"])
    points = list(csv.DictReader((out / "map.csv").read_text().splitlines()))
    assert len(points) == 6 * 40
    assert {point["class"] for point in points} <= {f"class{label}" for label in range(4)}


def test_map_takes_the_classes_that_a_conditional_generator_was_told(files: Path) -> None:
    result = squeezespan.analyze.map(
        gan=str(files / "conditional.safetensors"), method="pca", num_images=30
    )
    assert result.keys() == MapResult.__annotations__.keys()
    assert all(one.keys() == ClassMap.__annotations__.keys() for one in result["maps"])
    assert result["classes"] == "as the generator was told"
    assert result["class_names"] == ["class 0", "class 1", "class 2", "class 3"]
    assert [one["features"] for one in result["maps"]] == ["generator features", "w"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no network is named: give --gan, --discriminator or --student"),
        ({"student": ["first"]}, "without --gan the images must be named: give --data"),
        ({"gan": "gan.safetensors", "data": "folder:images"}, "give --gan or --data, not both"),
        (
            {"gan": "gan.safetensors", "num_images": 12, "batch_size": 8},
            "an interval needs two batches",
        ),
        (
            {"student": ["first"], "data": "folder:images", "num_images": 128, "batch_size": 64},
            "has 120 images, fewer than --num-images 128",
        ),
        (
            {"student": ["first", "first"], "data": "folder:images"},
            "two students have one name: first, first",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    settings: dict[str, Any], message: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    with pytest.raises(UserError, match=message):
        squeezespan.analyze.cka(**settings)


def test_images_without_classes_need_a_probe(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    with pytest.raises(UserError, match="give --student and labelled --data"):
        squeezespan.analyze.map(gan="gan.safetensors", method="pca", num_images=20)


def test_nothing_is_overwritten(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = ["analyze", "cka", "--gan", str(files / "gan.safetensors"), "--out", str(tmp_path)]
    assert main(command) == 2
    assert "exists already: give --out a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_verb_is_told_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "ckas"]) == 2
    assert "unknown command analyze ckas (did you mean cka?)" in capsys.readouterr().err
    assert main(["analyze"]) == 0
    assert "usage: squeezespan analyze VERB" in capsys.readouterr().out
