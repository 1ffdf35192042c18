"""The benchmarks run, and the two steps that they compare are the same step."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from measure.report import Report
from steps.ours import OurStep
from steps.plain import PlainStep
from steps.same import TOLERANCE, differences
from steps.setting import PARTS, Setting

from squeezespan.errors import UserError

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_TINY = Setting(
    batch_size=8, width=16, arch="resnet10-narrow", embed_dim=16, real_images=16, workers=0
)


class InThisProcess:
    """Runs a candidate as `measure.worker.Worker` does, but where the test runs."""

    def __init__(self, build: Callable[..., Any], *arguments: Any) -> None:
        self.run = build(*arguments).run

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *_: object) -> None: ...


def _main(name: str) -> Callable[..., None]:
    main: Callable[..., None] = runpy.run_path(str(_BENCHMARKS / f"{name}.py"))["main"]
    return main


def test_plain_step_computes_what_ours_does() -> None:
    found = differences(_TINY)
    assert list(found) == ["images", "b4", "b8", "b16", "b32", "loss"]
    assert max(found.values()) < TOLERANCE


@pytest.mark.parametrize("build", [OurStep, PlainStep])
def test_every_part_of_a_step_takes_time(build: Callable[[Setting], OurStep | PlainStep]) -> None:
    step = build(_TINY)
    for _ in range(3):  # more than the real images of one pass
        seconds = step.run()
        assert set(seconds) == set(PARTS)
        assert min(seconds.values()) > 0


def test_training_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("measure.worker.Worker", InThisProcess)
    file = tmp_path / "results.json"
    _main("training_step")(trials=2, warmup=0, json=file, setting=_TINY)
    record = json.loads(file.read_text())["training_step"]
    ours, plain = (record["results"]["steps"][name]["seconds"] for name in ("ours", "plain"))
    ratio = record["results"]["ratio_to_ours"]["plain"]
    assert ratio["min"] <= plain["max"] / ours["min"]
    assert ratio["max"] >= plain["min"] / ours["max"]
    assert record["seed"] == 0
    assert "| ours " in capsys.readouterr().out


def test_generator_and_augmentation_write_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    _main("generator")(widths=(16,), batch_size=2, trials=1, warmup=0, json=file)
    _main("augmentation")(batch_sizes=(4,), images=8, trials=1, warmup=0, workers=0, json=file)
    records = json.loads(file.read_text())
    assert list(records) == ["generator", "augmentation"]
    for record in records.values():
        assert record["environment"]["packages"]["torch"]
        assert record["results"]["images_per_second"]
    assert "dense, fp32, channels-last" in capsys.readouterr().out


def test_methods_take_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    methods = ("vicreg-real-mini", "squeeze-mini")
    _main("methods")(trials=1, warmup=0, json=file, methods=methods, batch_size=8, reuse=2)
    results = json.loads(file.read_text())["methods"]["results"]
    assert list(results["ratios"]) == [*methods, "squeeze-mini, reuse 2"]
    assert results["ratios"]["vicreg-real-mini"] == 1
    assert results["seconds_before"]["vicreg-real-mini"]["median"] == 0
    assert results["seconds_before"]["squeeze-mini"]["median"] > 0
    assert "| squeeze-mini " in capsys.readouterr().out


def test_every_family_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    families = ("stylegan2", "stylegan-xl", "fastgan-64", "biggan", "autogan", "dcgan")
    _main("families")(families=families, width=16, batch_size=1, trials=1, warmup=0, json=file)
    results = json.loads(file.read_text())["families"]["results"]
    assert list(results["images_per_second"]) == list(families)
    assert all(speed["fp32"]["median"] > 0 for speed in results["images_per_second"].values())
    for errors in results["bf16_errors"].values():
        assert all(error["map"] < 0.1 for error in errors.values())
    assert "| dcgan " in capsys.readouterr().out
    with pytest.raises(UserError, match="no family stylegan9"):
        _main("families")(families=("stylegan9",))


def test_foreign_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.json"
    file.write_text('{"mine": 1}')
    with pytest.raises(UserError, match=r"notes\.json"):
        Report("generator", 0, "cpu", file)
    assert file.read_text() == '{"mine": 1}'


@pytest.mark.parametrize("file", sorted(_BENCHMARKS.glob("*.py")), ids=lambda file: str(file.stem))
def test_options_are_explained(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [str(file), "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(file), run_name="__main__")
    assert not end.value.code
    assert "--trials" in capsys.readouterr().out


def test_a_benchmark_takes_several_values_and_says_what_it_cannot_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    argv = ["families.py", "--families", "dcgan", "stylegan9", "--trials", "1"]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit, match=r"^families: error: there is no family stylegan9"):
        runpy.run_path(str(_BENCHMARKS / "families.py"), run_name="__main__")
