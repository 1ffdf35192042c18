"""`squeezespan probe` on a small student and a folder of coloured images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from legibility import assert_legible
from pages import read_page
from PIL import Image
from tiny_runs import make_student_file

from squeezespan import evaluate
from squeezespan.cli.probe import run
from squeezespan.data.specs import find_images
from squeezespan.errors import UserError
from squeezespan.evaluation.hits import unpack_hits
from squeezespan.evaluation.linear import LinearProbeConfig, train_linear_probe
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.probe import probe
from squeezespan.models.student_file import STUDENT_FILE, load_backbone, save_student
from squeezespan.results import ProbeResult

SIDE = 16
COUNTS = {"train": 12, "test": 5}


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    make_student_file(folder / STUDENT_FILE, {"method": "squeeze-span"})
    return folder


def _folder(root: Path, classes: int) -> str:
    """Each class has its colour, so any backbone tells them apart."""
    for split, count in COUNTS.items():
        for label in range(classes):
            folder = root / split / f"class{label:02}"
            folder.mkdir(parents=True)
            for number in range(count):
                hue = (label / classes + 0.01 * number / count) * 255
                color = Image.new("HSV", (SIDE, SIDE), (round(hue), 255, 200))
                color.convert("RGB").save(folder / f"{number}.png")
    return f"folder:{root}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _folder(tmp_path_factory.mktemp("images"), 3)


@pytest.mark.parametrize(
    ("protocol", "options", "settings"),
    [
        ("knn", ["--k", "5"], {"k": 5, "temperature": 0.1}),
        ("logistic", [], {"l2_chosen_on": "a tenth held out of train"}),
        ("fewshot", ["--shots", "2", "--draws", "3"], {"shots": 2, "draws": 3}),
        ("linear", ["--epochs", "3", "--batch-size", "6"], {"epochs": 3, "optimizer": "sgd"}),
    ],
)
def test_every_protocol_tells_what_it_did(
    student: Path,
    data: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    protocol: str,
    options: list[str],
    settings: dict[str, Any],
) -> None:
    out = tmp_path / "new" / "result.json"
    arguments = ["--data", data, "--protocol", protocol, "--json", str(out), "--device", "cpu"]
    run([str(student), *arguments, "--precision", "fp32", "--seed", "4", *options])
    result = json.loads(out.read_text())
    expected = {
        "protocol": protocol,
        "seed": 4,
        "data": data,
        "weights": str(student),
        "classes": 3,
        "n_train": 3 * COUNTS["train"],
        "n_test": 3 * COUNTS["test"],
        "device": "cpu",
        "precision": "fp32",
        "provenance": {"method": "squeeze-span"},
    }
    assert result | expected == result
    assert result["settings"] | settings == result["settings"]
    low, high = result["interval"]
    assert low <= result["accuracy"] <= high
    draws = result["hits"] if protocol == "fewshot" else [result["hits"]]
    right = [unpack_hits(packed, result["n_test"]).float().mean().item() for packed in draws]
    assert result["accuracy"] == pytest.approx(sum(right) / len(right))
    if protocol != "linear":
        assert result["accuracy"] > 0.9
    assert torch.__version__.startswith(result["versions"]["torch"])
    table = capsys.readouterr().out
    assert f"{result['accuracy']:.2%}" in table
    assert len(table.splitlines()) == 7


@pytest.mark.parametrize(("protocol", "classes"), [("knn", 20), ("fewshot", 25)])
def test_the_page_shows_accuracy_mistakes_and_what_is_taken_for_what(
    student: Path, tmp_path: Path, protocol: str, classes: int
) -> None:
    spec = _folder(tmp_path / "images", classes)
    # One class's test images are another's, so that there is something to take for something.
    for number in range(COUNTS["test"]):
        place = tmp_path / "images" / "test"
        (place / "class00" / f"{number}.png").write_bytes(
            (place / "class01" / f"{number}.png").read_bytes()
        )
    page_file, json_file = tmp_path / "probe.html", tmp_path / "probe.json"
    base = [str(student), "--data", spec, "--device", "cpu"]
    settings = ["--k", "3", "--shots", "2", "--draws", "2", "--json", str(json_file)]
    run([*base, "--protocol", protocol, *settings, "--report", str(page_file)])
    result = json.loads(json_file.read_text())
    page = read_page(page_file)
    matrix = ["confusion"] if classes <= 20 else []
    assert page.sections == ["accuracy", "classes", *matrix, "mistakes", "provenance"]
    assert page.is_self_contained
    assert f"<b>{result['accuracy'] * 100:.1f}%</b>" in page.text
    assert "class00, taken for class01" in page.text
    assert page.tags["img"] >= COUNTS["test"]
    # The class with the fewest hits stands first.
    assert page.text.index("<td>class00</td>") < page.text.index("<td>class02</td>")
    if matrix:
        assert ">100</td>" in page.text
    assert_legible(page_file, tmp_path)
    with pytest.raises(UserError, match="exists already: give --report a new file"):
        run([*base, "--protocol", "knn", "--report", str(page_file)])


def test_top5_beyond_ten_classes_and_the_same_result_for_a_seed(
    student: Path, tmp_path: Path
) -> None:
    data = _folder(tmp_path, 11)
    options = ProbeOptions(device="cpu", precision="fp32", seed=2)
    first, second = (probe(student, data, "logistic", options) for _ in range(2))
    assert first["accuracy"] == second["accuracy"]
    assert first["accuracy"] <= first["top5"] <= 1
    assert first["top5_interval"][0] <= first["top5"]
    knn = probe(student, data, "knn", options)
    assert knn["settings"]["k"] == 11 * COUNTS["train"]


class _Sees(torch.nn.Module):
    """A backbone that keeps what it is shown while training, and gives mean colors."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.is_floating_point():
            self.seen.append(images)
        return images.float().mean((2, 3))


@pytest.mark.parametrize("shape", [(96, 96), (120, 96)])
def test_the_linear_probe_crops_from_the_images_as_stored(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    """Fine stripes: a crop of a tenth of the image shows some, of a shrunk image a blur."""
    width, height = shape
    stripes = (np.arange(width) // 2 % 2 * 255).astype(np.uint8)
    pixels = np.broadcast_to(stripes[None, :, None], (height, width, 3))
    for name in ("train/a/0.png", "train/b/0.png", "test/a/0.png", "test/b/0.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / name)
    found = find_images(f"folder:{tmp_path}", "train")
    backbone = _Sees()
    train_linear_probe(
        backbone,
        found.load_originals(24),
        LinearProbeConfig("lars", 0.1, batch_size=2, epochs=20),
        classes=2,
        resolution=24,
    )
    views = torch.cat(backbone.seen)
    assert views.shape[1:] == (3, 24, 24)
    assert found.load(24).batch(torch.arange(2)).float().std() < 40
    assert views.std((1, 2, 3)).max() > 0.35


def test_what_becomes_of_the_images_is_told(student: Path, data: str) -> None:
    result = probe(student, data, "knn", ProbeOptions(k=3))
    assert result["train_images"] == f"{3 * COUNTS['train']} images of {SIDE} pixels"
    assert result["test_images"] == f"{3 * COUNTS['test']} images of {SIDE} pixels"


def test_wrong_options(student: Path, data: str, tmp_path: Path) -> None:
    taken = tmp_path / "mine.json"
    taken.write_text("{}")
    base = [str(student), "--data", data]
    for arguments, message in [
        ([*base], "--protocol"),
        ([*base, "--protocol", "knm"], "--protocol takes"),
        ([*base, "--protocol", "knn", "--k", "0"], "k is 0, but must be at least 1"),
        ([*base, "--protocol", "knn", "--json", str(taken)], "exists already"),
        ([*base, "--protocol", "fewshot", "--shots", "99"], "--shots"),
        ([str(tmp_path), "--data", data, "--protocol", "knn"], STUDENT_FILE),
    ]:
        with pytest.raises(UserError, match=message) as raised:
            run(arguments)
        assert "\n" not in str(raised.value)
    assert taken.read_text() == "{}"


def test_unlabelled_data(student: Path, tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        Image.new("RGB", (SIDE, SIDE)).save(tmp_path / split / "one.png")
    with pytest.raises(UserError, match="has no labels"):
        probe(student, f"folder:{tmp_path}", "knn")


def test_a_backbone_that_broke_down(student: Path, data: str, tmp_path: Path) -> None:
    broken = load_backbone(student)
    protocols: tuple[Protocol, ...] = ("knn", "linear")
    for value, message in ((torch.finfo(torch.float32).max, "not numbers"), (torch.nan, "finite")):
        with torch.no_grad():
            next(broken.parameters()).fill_(value)
        save_student(tmp_path / STUDENT_FILE, broken.network, broken.header)
        for protocol in protocols:
            with pytest.raises(UserError, match=message):
                probe(tmp_path, data, protocol, ProbeOptions(epochs=1))


def test_the_public_functions_give_what_the_command_gives(student: Path, data: str) -> None:
    numbers = evaluate.knn(student, data, k=5)
    assert ProbeResult.__required_keys__ <= numbers.keys() <= ProbeResult.__annotations__.keys()
    assert numbers["accuracy"] == probe(student, data, "knn", ProbeOptions(k=5))["accuracy"]
    with pytest.raises(UserError, match=r"evaluate\.knn: unknown setting kk"):
        evaluate.knn(student, data, kk=5)
