"""Writing files so that a reader never sees half of one."""

import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from squeezespan.errors import StorageError, UserError

__all__ = [
    "atomic_write",
    "check_file",
    "check_new_file",
    "check_new_folder",
    "check_writable",
    "expanded",
    "file_sha256",
    "new_folder",
    "write_json",
    "write_text",
]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_PROBE_BYTES = 1 << 20


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place in one step.

    Whatever stood at `path` stays until the new content is complete and flushed to the disk.

    Args:
        path: the file to make or replace; its folder is created.
        write: called with the temporary path.

    Raises:
        StorageError: the disk is full or read-only; `path` is as it was.
        UserError: there can be no file at `path`.
    """
    temporary: Path | None = None
    try:
        temporary = _temporary(path)
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        temporary = None
    except Exception as error:
        reason = _storage_problem(error, path.parent)
        if reason is not None:
            raise StorageError(f"could not write {path}: {reason}") from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_file(path: Path, what: str) -> None:
    """Refuse a path at which no ordinary file is, which might never end or never begin.

    Args:
        path: of the file to read, or a link to it.
        what: should be there, such as "checkpoint file".

    Raises:
        UserError: nothing is there, or a folder, a pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise UserError(f"there is no {what} {path}") from error
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
        kind = kinds.get(stat.S_IFMT(mode), "device")
        raise UserError(f"{path} is a {kind}, not a {what}; copy what it gives to a file first")


def check_new_file(path: Path | None, option: str) -> None:
    """Make sure, before long work, that its result can be written to a new file.

    Args:
        path: the file; None where there is none to write.
        option: the option that names it, for messages.

    Raises:
        UserError: something is there already, or the folder can't be written to.
    """
    if path is None:
        return
    if os.path.lexists(path):
        raise UserError(f"{path} exists already: give {option} a new file")
    check_writable(path, option)


def check_new_folder(path: Path, option: str) -> None:
    """Make sure, before long work, that its result can be written to a new folder.

    Args:
        path: the folder; an empty one is fine.
        option: the option that names it, for messages.

    Raises:
        UserError: something is there already, or it can't be written to.
    """
    is_empty_folder = path.is_dir() and not any(path.iterdir())
    if os.path.lexists(path) and not is_empty_folder:
        raise UserError(f"{path} exists already: give {option} a new folder")
    check_writable(path, option)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill that becomes `path` in one step when the block ends well.

    Args:
        path: nothing is there, or an empty folder.

    Raises:
        StorageError: the disk is full or read-only.
        UserError: there can be no folder at `path`.
    """
    path = path.absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(f"could not write {path}: {error.strerror}") from error
        raise UserError(f"{path} can't be written: {error.strerror}") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def check_writable(path: Path, option: str) -> None:
    """Make sure, before long work, that a new file or folder can be made at `path`.

    Args:
        path: nothing is there yet, or a folder to write into.
        option: the option that names it, for messages.

    Raises:
        UserError: the folder that it would be in can't be written to.
    """
    path = path.absolute()
    folder = next(place for place in (path, *path.parents) if place.exists())
    if not folder.is_dir():
        raise UserError(f"{path} can't be written: {folder} is a file; give {option} another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{path} can't be written: no permission in {folder}")


def expanded(path: str | Path) -> Path:
    """Give a path with `~` replaced by the home that it stands for.

    Raises:
        UserError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(f"{path} is in the home of nobody: {error}") from error


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file's content, in hexadecimal.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _temporary(path: Path) -> Path:
    """Make an empty file beside `path`."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise UserError(f"{path} can't be written: {error.strerror}") from error
    os.close(handle)
    return Path(name)


def _storage_problem(error: Exception, folder: Path) -> str | None:
    """Tell why the disk refused, None if it did not.

    safetensors hides the reason in the text of an error of its own; torch gives none, so the disk
    itself is asked.
    """
    for code in _FULL:
        if os.strerror(code) in str(error):
            return os.strerror(code)
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as refusal:
        if refusal.errno in _FULL:
            return refusal.strerror
    return None


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically.

    Of names of files that are in no encoding, bytes are spelled out, in JSON as JSON does.
    """
    data = text.encode("utf-8", "backslashreplace")
    atomic_write(path, lambda temporary: temporary.write_bytes(data))


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
