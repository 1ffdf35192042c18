"""`squeezespan transfer`: several students on several data sets, in one table."""

import json
import shutil
from pathlib import Path

import pytest
from tiny_runs import make_images, make_student_file

from squeezespan.cli.main import main
from squeezespan.evaluation.probe import probe
from squeezespan.models.student_file import STUDENT_FILE


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    found = []
    for name in ("first", "second"):
        folder = tmp_path_factory.mktemp("data") / name
        found.append(make_images(folder))
        shutil.copytree(folder / "train", folder / "test")
    return found


@pytest.fixture(scope="module")
def runs(specs: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """One trained on the first data set, one on something else."""
    found = []
    for data in (specs[0], "folder:elsewhere"):
        folder = tmp_path_factory.mktemp("run")
        make_student_file(folder / STUDENT_FILE, {"data": data})
        found.append(str(folder))
    return found


def test_every_run_is_judged_on_every_data_set(
    runs: list[str], specs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.json"
    options = ["--data", *specs, "--protocol", "knn", "--device", "cpu", "--json", str(out)]
    assert main(["transfer", *runs, *options]) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [(one["weights"], one["data"]) for one in found] == [
        (run, spec) for run in runs for spec in specs
    ]
    assert [one["own_data"] for one in found] == [True, False, False, False]
    assert found[3]["accuracy"] == probe(runs[1], specs[1], "knn")["accuracy"]
    said = capsys.readouterr().out
    assert said.count("*") == 2
    assert "*: images that the run was trained on" in said


def test_what_is_missing_is_said_before_anything_is_evaluated(
    runs: list[str], specs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transfer", "--data", specs[0]]) == 2
    assert "name one run folder or several" in capsys.readouterr().err
    assert main(["transfer", *runs, "--data", specs[0], "folder:none"]) == 2
    captured = capsys.readouterr()
    assert "folder:none" in captured.err or "none" in captured.err
    assert "features" not in captured.err
