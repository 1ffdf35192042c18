"""The demo from end to end."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from legibility import assert_legible
from pages import read_page

from squeezespan.cli.main import main
from squeezespan.demo.run import run_demo
from squeezespan.demo.settings import DemoOptions
from squeezespan.errors import UserError
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.probe import probe
from squeezespan.settings import to_dict

_METHODS = ["random", "vicreg-real", "squeeze", "squeeze-span"]


def arguments(options: DemoOptions, out: Path) -> list[str]:
    given = [f"--{name}={value}" for name, value in to_dict(options).items()]
    return ["demo", f"--out={out}", *given]


def without_clock(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def done(options: DemoOptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "demo"
    assert main(arguments(options, out)) == 0
    return out


@pytest.fixture(scope="module")
def result(done: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((done / "demo.json").read_text())
    return content


def test_rows_are_fair_and_complete(result: dict[str, Any]) -> None:
    rows = result["rows"]
    assert [row["method"] for row in rows] == _METHODS
    assert [row["images"] for row in rows[1:]] == [20 * result["plan"]["batch_size"]] * 3
    for row in rows:
        for protocol in ("knn", "logistic"):
            low, high = row[f"{protocol}_interval"]
            assert 0 <= low <= row[protocol] <= high <= 1
    assert all(row["seconds"] > 0 for row in rows[1:])
    assert result["seconds"] > sum(row["seconds"] for row in rows)


def test_figures_are_those_of_the_probe(
    done: Path, options: DemoOptions, result: dict[str, Any]
) -> None:
    settings = ProbeOptions(device="cpu", precision="fp32")
    for row in result["rows"][2:]:
        run = done / row["run"]
        assert probe(run, options.data, "knn", settings)["accuracy"] == row["knn"]
        assert probe(run, options.data, "logistic", settings)["accuracy"] == row["logistic"]


def test_the_result_says_what_it_depends_on(result: dict[str, Any], options: DemoOptions) -> None:
    assert result["plan"]["options"] == to_dict(options)
    assert result["plan"]["left_out"] == ["vicreg-mixed"]
    assert result["gan"]["family"] == "stylegan2"
    assert result["data"]["test_images"] == 80
    assert {"time", "command", "commit", "packages"} <= result["environment"].keys()


def test_the_page_has_every_section_and_loads_nothing(done: Path, result: dict[str, Any]) -> None:
    page = read_page(done / "report.html")
    assert page.sections == [
        *("table", "bars", "meaning", "map", "knowledge", "neighbors"),
        *("samples", "views", "curves", "own", "provenance"),
    ]
    assert page.is_self_contained
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert page.tags["svg"] == 2 + 2 + 2 + 3
    assert page.tags["img"] == 2 + 2 + 2
    for row in result["rows"]:
        assert f"{row['knn']:.1%}" in page.text
    for link in page.links:
        assert (done / link).is_file()


def test_the_page_is_legible(done: Path, tmp_path: Path) -> None:
    assert_legible(done / "report.html", tmp_path)


def test_the_page_claims_no_more_than_its_table(done: Path, result: dict[str, Any]) -> None:
    gain = result["comparisons"][-1]
    assert (gain["method"], gain["against"]) == ("squeeze-span", "random")
    has_learnt = all(gain[protocol]["interval"][0] > 0 for protocol in ("knn", "logistic"))
    lead = " ".join((done / "report.html").read_text(encoding="utf-8").split())
    assert ("network learned to see from it" in lead) == has_learnt
    assert ("the training was too short" in lead) != has_learnt


def test_every_run_is_a_run_folder_of_its_own(done: Path) -> None:
    for method in _METHODS[1:]:
        assert (done / method / "student.safetensors").is_file()
        assert (done / method / "report.html").is_file()


def test_a_finished_demo_is_shown_again_and_left_alone(
    done: Path, options: DemoOptions, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*")}
    assert main(arguments(options, done)) == 0
    output, errors = capfd.readouterr()
    assert "finished before" in errors
    assert "Squeeze and Span" in output
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*")} == before


def test_a_demo_with_other_options_is_not_mixed_in(done: Path, options: DemoOptions) -> None:
    with pytest.raises(UserError, match="seed 0, not 1"):
        run_demo(dataclasses.replace(options, seed=1), done)


def test_a_demo_killed_between_two_methods_goes_on(
    done: Path, options: DemoOptions, result: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    shutil.rmtree(out / "squeeze-span")
    (out / "demo.json").unlink()
    (out / "report.html").unlink()
    kept = (out / "squeeze" / "student.safetensors").stat().st_mtime_ns
    again = run_demo(options, out)
    assert again["resumed"]
    assert without_clock(again["rows"]) == without_clock(result["rows"])
    assert (out / "squeeze" / "student.safetensors").stat().st_mtime_ns == kept


def test_a_demo_stopped_in_the_middle_of_a_method_goes_on(
    options: DemoOptions, result: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = [sys.executable, "-m", "squeezespan", *arguments(options, out)]
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(program, env=environment, stderr=subprocess.PIPE, text=True)
    metrics = out / "vicreg-real" / "metrics.jsonl"
    deadline = time.monotonic() + 300
    while not (metrics.exists() and metrics.stat().st_size):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "goes on from here" in errors
    assert not (out / "demo.json").exists()
    assert without_clock(run_demo(options, out)["rows"]) == without_clock(result["rows"])


def test_data_without_labels_are_refused_before_anything_is_written(
    options: DemoOptions, tmp_path: Path
) -> None:
    images = Path(options.data.removeprefix("folder:"))
    for split in ("train", "test"):
        (tmp_path / "flat" / split).mkdir(parents=True)
        for number, image in enumerate(sorted(images.glob(f"{split}/*/*.png"))):
            shutil.copy(image, tmp_path / "flat" / split / f"{number}.png")
    unlabeled = dataclasses.replace(options, data=f"folder:{tmp_path / 'flat'}")
    with pytest.raises(UserError, match="no labels"):
        run_demo(unlabeled, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_generator_is_one_line(
    options: DemoOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = dataclasses.replace(options, gan=str(tmp_path / "none.safetensors"))
    assert main(arguments(missing, tmp_path / "out")) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "no checkpoint file" in errors
