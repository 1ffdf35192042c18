"""What the model card says: where the student is from, what it has seen, how good it is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crashes import CrashError, crash_before
from exports.conftest import make_student
from tiny_runs import make_gan, make_images, tiny_config

from squeezespan import evaluate, export
from squeezespan.distillation.distill import distill
from squeezespan.distillation.job import StudentJob
from squeezespan.errors import UserError

DATA = "test images of folder:"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("labelled")
    spec = make_images(folder)
    shutil.copytree(folder / "train", folder / "test")
    return spec


@pytest.fixture(scope="module")
def run(labelled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run that was probed."""
    folder = tmp_path_factory.mktemp("probed")
    gan = make_gan(folder / "gan.safetensors")
    config = tiny_config(labelled, gan, train={"epochs": 2}, monitor={"knn_every": 1})
    run = distill(config, folder / "run")
    result = evaluate.knn(run, labelled, k=5, device="cpu")
    (run / "knn.json").write_text(json.dumps(result))
    return run


def card_of(run_or_file: Path, out: Path, **options: Any) -> str:
    return (export(run_or_file, "safetensors", out, **options) / "README.md").read_text("utf-8")


def test_a_run_tells_its_teacher_and_what_was_measured(run: Path, tmp_path: Path) -> None:
    result = json.loads((run / "knn.json").read_text())
    checks = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = [check for check in checks if check["kind"] == "knn"][-1]
    card = card_of(run, tmp_path / "out")
    assert f"| {result['accuracy']:.2%} | {result['interval'][0]:.2%} to " in card
    assert f"{result['n_test']} {DATA}" in card
    assert f"| {last['knn_accuracy']:.2%} | {last['knn_low']:.2%} to {last['knn_high']:.2%}" in card
    assert result["command"].split()[0] in card
    assert f"| Teacher (GAN) | {run.parent / 'gan.safetensors'} |" in card
    assert "not finished" not in card
    assert "None was chosen at the export" in card
    assert "None that its own file or its teacher's tells of" in card


def test_a_teacher_that_has_changed_is_not_described(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    gan = run.parent / "gan.safetensors"
    kept = gan.read_bytes()
    try:
        make_gan(gan, z_dim=8)
        assert "another one stands in its place now" in card_of(copy, tmp_path / "changed")
        gan.unlink()
        assert "not where it was" in card_of(copy, tmp_path / "gone")
    finally:
        gan.write_bytes(kept)


def test_a_stopped_run_gives_the_student_of_its_checkpoint(
    labelled: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = run.parent / "gan.safetensors"
    # A checkpoint and a student whenever the log is written, which is after two steps.
    train = {"epochs": 2, "checkpoint_minutes": 1e-9}
    config = tiny_config(labelled, gan, train=train, monitor={"knn_every": 1})
    crash_before(monkeypatch, StudentJob, [6])
    with pytest.raises(CrashError):
        distill(config, tmp_path / "run")
    card = card_of(tmp_path / "run", tmp_path / "out")
    assert "**Its training is not finished**" in card
    assert "| Images through the student | 96 |" in card
    # The monitor's check after the first epoch, of 4 steps; the student is of step 6.
    assert "kNN, the run's monitor, 1 epochs in" in card


def test_results_of_other_weights_are_not_its_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    result = json.loads((run / "knn.json").read_text())
    (copy / "knn.json").write_text(json.dumps(result | {"weights_sha256": "0" * 64}))
    assert DATA not in card_of(copy, tmp_path / "out")
    assert f"left out of the card: {copy / 'knn.json'} was measured with other weights" in (
        capsys.readouterr().err
    )
    with pytest.raises(UserError, match=r"other weights .* run `squeezespan probe` again"):
        export(copy, "safetensors", tmp_path / "no", results=[copy / "knn.json"])
    with pytest.raises(UserError, match="no result of `squeezespan probe --json`: it has no prot"):
        export(copy, "safetensors", tmp_path / "no", results=[copy / "config.json"])
    assert not (tmp_path / "no").exists()


def test_a_result_kept_elsewhere_is_named(run: Path, tmp_path: Path) -> None:
    weights = tmp_path / "student.safetensors"
    shutil.copy(run / "student.safetensors", weights)
    assert "Not measured. `squeezespan probe" in card_of(weights, tmp_path / "without")
    assert DATA in card_of(weights, tmp_path / "with", results=[run / "knn.json"])


def test_labels_and_outside_weights_are_told(tmp_path: Path) -> None:
    path = tmp_path / "student.safetensors"
    saw = ["class labels of the images, by way of the GAN x", "ImageNet weights"]
    make_student(path, "resnet10-narrow", "cifar", 16, saw=saw, gan="x", method={"name": "vicreg"})
    card = card_of(path, tmp_path / "out", license="cc-by-4.0")
    assert all(f"- {item}\n" in card for item in saw)
    assert "None that" not in card
    assert "cc-by-4.0, as chosen at the export" in card
    assert "license: cc-by-4.0\n" in card


def test_a_strangers_words_stay_in_their_cell(tmp_path: Path) -> None:
    path = tmp_path / "student.safetensors"
    hostile = "x | y\n# Title\n<script>alert(1)</script> `rm` [here](http://x)\x1b[31m"
    make_student(path, "resnet10-narrow", "cifar", 16, data=hostile, saw=[hostile], seed=[1])
    card = card_of(path, tmp_path / "out")
    assert not any(line.startswith("# Title") for line in card.splitlines())
    assert "<script>" not in card
    assert "\x1b" not in card
    assert "[here](" not in card.replace("\\[here](", "")
    assert "x \\| y" in card


@pytest.mark.parametrize("name", ["file.txt", "folder/file.txt"])
def test_nothing_is_written_over(name: str, student: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(UserError, match="exists already: give --out a new folder"):
        export(student(), "safetensors", tmp_path / "out")
    assert path.read_text() == "mine"
    assert list(path.parent.iterdir()) == [path]


def test_probe_keeps_what_a_card_needs(run: Path) -> None:
    result = json.loads((run / "knn.json").read_text())
    assert len(result["weights_sha256"]) == 64
    assert result["command"]
