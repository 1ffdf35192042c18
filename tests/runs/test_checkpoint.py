"""Checkpoints on the disk: the last two, whole, and a damaged one is not the end."""

from pathlib import Path

import pytest
import torch

from squeezespan.errors import UserError
from squeezespan.runs.checkpoint import load_newest_checkpoint, save_checkpoint


def save(folder: Path, *steps: int) -> list[Path]:
    return [save_checkpoint(folder, step, {"x": torch.tensor([float(step)])}) for step in steps]


def test_the_newest_of_the_last_two_is_loaded(tmp_path: Path) -> None:
    saved = save(tmp_path, 5, 20, 100)
    assert sorted(tmp_path.iterdir()) == saved[1:]
    found = load_newest_checkpoint(tmp_path)
    assert found is not None
    assert (found[0], found[1]["x"].item()) == (100, 100.0)


@pytest.mark.parametrize("length", [0, 10, 500, -1])
def test_a_cut_file_is_named_deleted_and_the_one_before_taken(
    length: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, newest = save(tmp_path, 1, 2)
    newest.write_bytes(newest.read_bytes()[:length])
    found = load_newest_checkpoint(tmp_path)
    assert found is not None
    assert found[0] == 1
    assert f"{newest} is damaged" in capsys.readouterr().err
    assert not newest.exists()


def test_no_readable_checkpoint_at_all_is_an_error(tmp_path: Path) -> None:
    for path in save(tmp_path, 1, 2):
        path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read"):
        load_newest_checkpoint(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_leftovers_of_an_interrupted_write_are_removed(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / ".step-000000002.pt.abc.part").write_bytes(b"half")
    load_newest_checkpoint(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001.pt"]


def test_a_missing_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert load_newest_checkpoint(tmp_path / "none") is None


def test_a_checkpoint_of_another_version_is_named(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 3, {"a": 1})
    content = torch.load(path, weights_only=True)
    torch.save(content | {"format": 1}, path)
    with pytest.raises(UserError, match="another version of Squeezespan"):
        load_newest_checkpoint(tmp_path)
