"""`squeezespan report`: pages of finished and stopped runs, and of several beside each other."""

import json
import re
import shutil
from pathlib import Path

import pytest
from legibility import assert_legible
from pages import read_page
from tiny_gans import tiny_gan
from tiny_runs import make_gan, make_images, tiny_config

from squeezespan.cli.main import main
from squeezespan.distillation.distill import distill
from squeezespan.distillation.folder import distill_folder
from squeezespan.gan.train import train_gan


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    gan = make_gan(folder / "gan.safetensors")
    config = tiny_config(make_images(folder / "images"), gan, train={"epochs": 2})
    return distill(config, folder / "first")


@pytest.fixture
def stopped(student: Path, tmp_path: Path) -> Path:
    """The same run as its checkpoint in the middle left it."""
    run = tmp_path / "second"
    shutil.copytree(student, run)
    (run / "student.safetensors").unlink()
    (run / "report.html").unlink()
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    return run


@pytest.fixture(scope="module")
def gan_run(student: Path) -> Path:
    return train_gan(tiny_gan(f"folder:{student.parent / 'images'}"), student.parent / "gan")


def test_a_stopped_runs_page_is_written_anew(
    student: Path, stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(stopped)]) == 0
    assert capsys.readouterr().out.strip() == str(stopped / "report.html")
    page, whole = (read_page(run / "report.html") for run in (stopped, student))
    assert page.sections == whole.sections
    assert page.tags["img"] == whole.tags["img"]
    assert page.text != whole.text


def test_without_its_images_a_run_has_a_page_still(
    stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = json.loads((stopped / "config.json").read_text())
    settings |= {"data": "folder:gone", "gan": "gone.safetensors"}
    (stopped / "config.json").write_text(json.dumps(settings))
    assert main(["report", str(stopped)]) == 0
    said = capsys.readouterr().err
    assert "shows no real images" in said
    assert "shows no generated images" in said
    assert "img" not in read_page(stopped / "report.html").tags


def test_a_gans_page_is_written_anew(gan_run: Path, tmp_path: Path) -> None:
    before = (gan_run / "report.html").read_text()
    (gan_run / "report.html").unlink()
    assert main(["report", str(gan_run)]) == 0
    assert read_page(gan_run / "report.html").sections == read_text_sections(before, tmp_path)


def read_text_sections(text: str, folder: Path) -> list[str]:
    (folder / "page.html").write_text(text)
    return read_page(folder / "page.html").sections


def test_several_runs_stand_on_one_page(student: Path, stopped: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["report", str(student), str(stopped), "--out", str(out)]) == 0
    page = read_page(out)
    assert page.sections == ["table", "curves"]
    assert page.is_self_contained
    assert page.text.count('aria-label="kNN on held-out images') == 2
    checks = [
        line
        for line in map(json.loads, (student / "metrics.jsonl").read_text().splitlines())
        if line["kind"] == "knn"
    ]
    assert f"<td>{checks[-1]['knn_accuracy']:.1%} <small>" in page.text
    states = re.findall(r"<small>Squeeze and Span, (\w+)</small>", page.text)
    assert states == ["finished", "stopped"]
    assert main(["report", str(student), str(stopped), "--out", str(out)]) == 2


def test_runs_of_one_name_are_told_apart_by_their_folders(
    student: Path, stopped: Path, tmp_path: Path
) -> None:
    names = ["squeeze-mini--cifar10--0--9631212b00e7", "vicreg-mixed-mini--cifar10--0--60d51be2575"]
    runs = [tmp_path / name / "run" for name in names]
    for run, original in zip(runs, (student, stopped), strict=True):
        shutil.copytree(original, run)
    out = tmp_path / "page.html"
    assert main(["report", *map(str, runs), "--out", str(out)]) == 0
    for name in names:
        assert f"</span>{name}/run" in out.read_text()
    assert_legible(out, tmp_path)


def test_a_run_that_another_process_writes_is_going_on(stopped: Path) -> None:
    folder, again = distill_folder(stopped), distill_folder(stopped)
    folder.open(folder.saved(), resume=True)
    try:
        assert again.describe_state() == "going on"
    finally:
        folder.close()
    assert again.describe_state() == "stopped"


def test_gans_stand_beside_each_other(gan_run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(gan_run, other)
    line = {"kind": "snapshot", "step": 12, "kimg": 0.048}
    line |= {"kernel_x": 0.0123, "kernel_x_low": 0.01, "kernel_x_high": 0.02}
    with (other / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    out = tmp_path / "page.html"
    assert main(["report", str(gan_run), str(other), "--out", str(out)]) == 0
    text = out.read_text()
    assert "<td>12.3</td>" in text
    assert "<td>not measured</td>" in text
    assert text.count('aria-label="kernel distance x 1000 by x') == 2


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "name one run folder"),
        (["nowhere"], "nowhere is no run folder"),
        (["student", "stopped"], "several runs need --out"),
        (["student", "--out", "x.html"], "--out is for the page of several runs"),
        (["student", "gan", "--out", "x.html"], "students with students"),
        (["student", "student", "--out", "x.html"], "a run is named twice"),
        (["student", *"abcde", "--out", "x.html"], "at most 5 runs"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    names: list[str],
    words: str,
    student: Path,
    stopped: Path,
    gan_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"student": student, "stopped": stopped, "gan": gan_run}
    assert main(["report", *(str(known.get(name, name)) for name in names)]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


def test_settings_of_something_else_are_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text("[1]")
    assert main(["report", str(tmp_path)]) == 2
    assert "neither a student's run nor a GAN's" in capsys.readouterr().err
