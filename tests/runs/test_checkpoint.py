"""Checkpoints on the disk: the last two, whole, and a damaged one is not the end."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from untrusted.content import Call, Canary

from squeezespan.errors import UserError
from squeezespan.runs.checkpoint import load_newest_checkpoint, save_checkpoint


def state(**job: Any) -> dict[str, Any]:
    kept = {"numbers": {"loss": 1.5}, "seconds": 2.5, "metrics_bytes": 7, "stamp": {"gan": None}}
    return {"job": job, **kept}


def save(folder: Path, *steps: int) -> list[Path]:
    return [save_checkpoint(folder, step, state(x=torch.tensor([float(step)]))) for step in steps]


def test_the_newest_of_the_last_two_is_loaded(tmp_path: Path) -> None:
    saved = save(tmp_path, 5, 20, 100)
    assert sorted(tmp_path.iterdir()) == saved[1:]
    found = load_newest_checkpoint(tmp_path)
    assert found is not None
    assert (found[0], found[1]["job"]["x"].item()) == (100, 100.0)


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
    path = save_checkpoint(tmp_path, 3, state(a=1))
    content = torch.load(path, weights_only=True)
    torch.save(content | {"format": 1}, path)
    with pytest.raises(UserError, match="another version of Squeezespan"):
        load_newest_checkpoint(tmp_path)


def test_tensors_and_primitives_come_back_as_they_were(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam([{"params": network.parameters(), "fixed_lr": True}])
    network(torch.rand(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    saved = state(
        network=network.state_dict(),
        optimizer=optimizer.state_dict(),
        precise=[torch.tensor(1 / 3, dtype=torch.float64), torch.arange(5.0).bfloat16()],
        random=torch.get_rng_state(),
        origin={"kimg": None, "name": "caf\u00e9", "done": True, "seed": 2**40, "empty": []},
    )
    save_checkpoint(tmp_path, 3, saved)
    found = load_newest_checkpoint(tmp_path)
    assert found is not None
    for ours, theirs in zip(pytree(found[1]), pytree(saved), strict=True):
        if isinstance(theirs, torch.Tensor):
            assert ours.dtype == theirs.dtype
            assert torch.equal(ours, theirs)
        else:
            assert ours == theirs
    network.load_state_dict(found[1]["job"]["network"])
    optimizer.load_state_dict(found[1]["job"]["optimizer"])
    optimizer.step()


def pytree(value: Any) -> list[Any]:
    """Keys and leaves, in order."""
    if isinstance(value, dict):
        return [x for key, item in value.items() for x in (key, *pytree(item))]
    return [x for item in value for x in pytree(item)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("forced", ["", "NO_WEIGHTS_ONLY", "WEIGHTS_ONLY", "both"])
def test_a_stranger_s_checkpoint_runs_nothing_whatever_the_environment(
    forced: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("NO_WEIGHTS_ONLY", "WEIGHTS_ONLY"):
        if forced in (name, "both"):
            monkeypatch.setenv(f"TORCH_FORCE_{name}_LOAD", "1")
    canary = Canary(tmp_path / "canary")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    path, _ = save(folder, 1, 2)
    found = load_newest_checkpoint(folder)
    assert found is not None
    assert found[0] == 2
    torch.save({"format": 2, "step": 1, "state": Call(os.system, canary.command)}, path)
    (folder / "step-000000002.pt").unlink()
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read"):
        load_newest_checkpoint(folder)
    assert not canary.path.exists()


@pytest.mark.parametrize(
    "content",
    [
        7,
        {},
        {"format": 2},
        {"format": 2, "step": -1, "state": state()},
        {"format": 2, "step": True, "state": state()},
        {"format": 2, "step": 3, "state": {}},
        {"format": 2, "step": 3, "state": state() | {"job": None}},
        {"format": 2, "step": 3, "state": state() | {"numbers": {"loss": "low"}}},
        {"format": 2, "step": 3, "state": state() | {"seconds": "long"}},
        {"format": 2, "step": 3, "state": state() | {"metrics_bytes": -1}},
    ],
)
def test_other_content_is_damage(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "step-000000003.pt")
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read"):
        load_newest_checkpoint(tmp_path)
