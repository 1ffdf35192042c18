"""A reader never sees half a file, and a full disk is told."""

import errno
import json
import os
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from squeezespan.errors import StorageError, UserError
from squeezespan.files import atomic_write, check_new_file, write_json, write_text


def test_writes_into_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "notes.txt"
    write_text(path, "grün")
    assert path.read_text(encoding="utf-8") == "grün"


def test_json_is_readable_by_people_and_machines(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    value = {"name": "é", "values": [1, 2.5, None, True]}
    write_json(path, value)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert '"é"' in text
    assert text.endswith("}\n")


def test_names_in_no_encoding_are_spelled_out_and_come_back_from_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    write_text(tmp_path / "page.html", f"<p>{name}</p>")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == r"<p>caf\udce9</p>"
    write_json(tmp_path / "config.json", {"data": f"folder:{name}"})
    found = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert found == {"data": f"folder:{name}"}


def test_old_content_stays_when_the_writer_fails(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"old")

    def fail(temporary: Path) -> NoReturn:
        temporary.write_bytes(b"half")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        atomic_write(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_target_is_whole_or_old_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")

    def write(temporary: Path) -> None:
        torch.save({"a": torch.ones(3)}, temporary)
        assert path.read_bytes() == b"old"

    atomic_write(path, write)
    assert torch.equal(torch.load(path, weights_only=True)["a"], torch.ones(3))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "refusal",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EROFS, os.strerror(errno.EROFS)),
        OSError(errno.EFBIG, os.strerror(errno.EFBIG)),
        RuntimeError(f"I/O error: {os.strerror(errno.ENOSPC)} (os error 28)"),
    ],
)
def test_full_disk_is_told_with_the_path(tmp_path: Path, refusal: Exception) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"old")

    def refuse(temporary: Path) -> NoReturn:
        raise refusal

    with pytest.raises(StorageError, match=r"could not write .*weights\.bin: "):
        atomic_write(path, refuse)
    assert path.read_bytes() == b"old"


def test_other_errors_are_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        atomic_write(tmp_path / "x", lambda temporary: temporary.parent.open("w"))


def test_a_place_where_no_file_can_be_is_told_before_and_after_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    below = tmp_path / "file" / "deep" / "result.json"
    with pytest.raises(UserError, match=r"file is a file; give --json another path"):
        check_new_file(below, "--json")
    with pytest.raises(UserError, match="exists already: give --json a new file"):
        check_new_file(tmp_path / "file", "--json")
    impossible = tmp_path / ("x" * 300)
    for path in (below, tmp_path, impossible):
        with pytest.raises(UserError, match=r"can't be written: "):
            write_text(path, "result")
    assert (tmp_path / "file").read_text() == "precious"
    check_new_file(tmp_path / "new" / "result.json", "--json")
    check_new_file(None, "--json")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_others_can_read_the_result(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "a,b\n")
    assert path.stat().st_mode & 0o777 == 0o644
