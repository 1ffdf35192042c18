"""Where a demo may be written."""

import dataclasses
from pathlib import Path

import pytest

from squeezespan.demo.folder import demo_folder, find_plan
from squeezespan.demo.settings import DemoOptions, DemoPlan
from squeezespan.errors import UserError
from squeezespan.files import write_json
from squeezespan.settings import to_dict

_OPTIONS = DemoOptions(precision="fp32")
_PLAN = DemoPlan(options=_OPTIONS, gan_sha256="abc", methods=("squeeze",), steps=(7,))


def look(path: Path, options: DemoOptions = _OPTIONS, sha256: str = "abc") -> DemoPlan | None:
    return find_plan(demo_folder(path), options, sha256)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    write_json(tmp_path / "config.json", to_dict(_PLAN))
    return tmp_path


def test_new_and_empty_folders_are_fine(tmp_path: Path) -> None:
    assert look(tmp_path / "new") is None
    assert look(tmp_path) is None


def test_a_begun_demo_goes_on_with_its_plan(begun: Path) -> None:
    assert look(begun) == _PLAN
    assert look(begun, dataclasses.replace(_OPTIONS, precision="auto")) == _PLAN
    assert look(begun, dataclasses.replace(_OPTIONS, device="cpu")) == _PLAN


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "--seed 0, not 1"),
        ({"minutes": 2.0}, "--minutes 4.0, not 2.0"),
        ({"data": "folder:x"}, "--data builtin:cifar10-mini, not folder:x"),
        ({"precision": "bf16"}, "--precision fp32, not bf16"),
    ],
)
def test_another_demo_is_refused(begun: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        look(begun, dataclasses.replace(_OPTIONS, **changes))  # type: ignore[arg-type]


def test_another_generator_under_the_same_name_is_refused(begun: Path) -> None:
    with pytest.raises(UserError, match="another file"):
        look(begun, sha256="def")


@pytest.mark.parametrize("name", ["thesis.tex", "student.safetensors", "demo.json"])
def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"something else .{name}."):
        look(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_run_of_distill_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"data": "folder:x", "train": {"epochs": 3}})
    with pytest.raises(UserError, match="not a demo"):
        look(tmp_path)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        look(tmp_path / "file")
