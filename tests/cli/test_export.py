"""`squeezespan export`: what it prints and what it refuses."""

from pathlib import Path

import pytest
from exports.conftest import make_student

from squeezespan.cli.main import main


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "student.safetensors"
    return make_student(path, "resnet10-narrow", "cifar", 16)


def test_it_prints_the_folder_and_how_near_it_is(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "torchvision"
    assert main(["export", str(weights), "--format", "torchvision", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out}\n"
    assert printed.err.startswith("torchvision: opened again, its features are load_backbone's to ")
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "model.pth"]
    assert list(out.parent.iterdir()) == [out]


def test_a_missing_package_is_named_with_the_command_that_brings_it(
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("squeezespan.exports.onnx_graph._NEEDED", ("torch", "onnx_of_nobody"))
    out = tmp_path / "onnx"
    assert main(["export", str(weights), "--format", "onnx", "--out", str(out)]) == 2
    assert capsys.readouterr().err == (
        "squeezespan: error: --format onnx needs onnx_of_nobody, not installed here: "
        "pip install 'squeezespan[export]'\n"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "{}/new"], "--format"),
        (["--format", "timm"], "--out"),
        (["--format", "tflite", "--out", "{}/new"], "tflite"),
        (["--format", "timm", "--out", "{}"], "exists already: give --out a new folder"),
        (["--format", "timm", "--push", "me/x", "--out", "{}/new"], "are for --format hub"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    arguments: list[str],
    message: str,
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "kept.txt").touch()
    given = [argument.format(tmp_path) for argument in arguments]
    assert main(["export", str(weights), *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
