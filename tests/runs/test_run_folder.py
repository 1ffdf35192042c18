"""Whose folder it is: new, somebody else's, our own to continue, or in use."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from squeezespan.config import DistillConfig, TrainConfig
from squeezespan.distillation.folder import distill_folder
from squeezespan.errors import UserError
from squeezespan.runs.run_folder import RunFolder, RunState

CONFIG = DistillConfig()


def open_and_close(path: Path, config: DistillConfig = CONFIG, *, resume: bool) -> RunState:
    with closing(distill_folder(path)) as folder:
        return folder.open(config, resume=resume)


def begun(path: Path) -> RunFolder[DistillConfig]:
    assert open_and_close(path, resume=False) is RunState.NEW
    return distill_folder(path)


def test_a_folder_with_a_run_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    before = folder.config.read_bytes()
    other = replace(CONFIG, data="folder:elsewhere")
    with pytest.raises(UserError, match=r"already holds a run.*--resume"):
        distill_folder(folder.path).open(other, resume=False)
    assert folder.config.read_bytes() == before


@pytest.mark.parametrize("name", ["student.safetensors", "metrics.jsonl", "report.html"])
def test_even_a_part_of_a_run_is_not_overwritten(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(UserError, match=f"already holds a run .{name}"):
        distill_folder(tmp_path).open(CONFIG, resume=False)
    with pytest.raises(UserError, match=r"no config\.json"):
        distill_folder(tmp_path).open(CONFIG, resume=True)
    assert (tmp_path / name).read_text() == "precious"


def test_another_kind_of_run_is_not_continued(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"resolution": 32}')
    with pytest.raises(UserError, match="does not hold a distillation that can be continued"):
        distill_folder(tmp_path).check(CONFIG, resume=True)


def test_other_files_in_the_folder_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("from the shell")
    assert open_and_close(tmp_path, resume=False) is RunState.NEW


@pytest.mark.parametrize("inside", ["", "runs/new", "train"])
def test_a_run_does_not_go_among_its_own_images(inside: str, tmp_path: Path) -> None:
    config = replace(CONFIG, data=f"folder:{tmp_path}")
    with pytest.raises(UserError, match="is in the folder of folder:"):
        open_and_close(tmp_path / inside, config, resume=False)


def test_resuming_where_nothing_is_begins_a_run(tmp_path: Path) -> None:
    assert open_and_close(tmp_path / "new", resume=True) is RunState.NEW


@pytest.mark.parametrize(
    ("section", "changes", "key"),
    [
        ("train", {"seed": 1}, "--seed is 1.*started with 0"),
        ("train", {"epochs": 3}, "--epochs is 3"),
        ("optim", {"base_lr": 0.5}, "--optim.base-lr is 0.5"),
        ("method", {"alpha": 0.25}, "--method.alpha is 0.25"),
    ],
)
def test_resuming_with_other_settings_names_the_one_that_differs(
    section: str, changes: dict[str, float], key: str, tmp_path: Path
) -> None:
    folder = begun(tmp_path / "run")
    other = replace(CONFIG, **{section: replace(getattr(CONFIG, section), **changes)})
    with pytest.raises(UserError, match=f"cannot resume .*{key}"):
        distill_folder(folder.path).open(other, resume=True)


def test_what_the_weights_do_not_depend_on_may_differ(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    train = replace(CONFIG.train, device="cpu", num_workers=7, checkpoint_minutes=1.0)
    monitor = replace(CONFIG.monitor, log_every=3, loggers=("tensorboard",))
    other = replace(CONFIG, train=train, monitor=monitor)
    assert open_and_close(folder.path, other, resume=True) is RunState.STARTED


def test_two_processes_cannot_write_the_same_folder(tmp_path: Path) -> None:
    with closing(distill_folder(tmp_path / "run")) as first:
        first.open(CONFIG, resume=False)
        with pytest.raises(UserError, match="being written by process"):
            open_and_close(tmp_path / "run", resume=True)
    assert open_and_close(tmp_path / "run", resume=True) is RunState.STARTED


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UserError, match="is a file"):
        distill_folder(tmp_path / "run").check(DistillConfig(train=TrainConfig()), resume=False)
    with pytest.raises(UserError, match="cannot write to"):
        distill_folder(tmp_path / "run" / "deeper").open(CONFIG, resume=False)
