"""The files of a folder or an archive, listed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from squeezespan.errors import UserError
from squeezespan.files import check_file

__all__ = ["FileList", "list_folder"]


@dataclass(frozen=True)
class FileList:
    """Files by name, readable by index."""

    place: str
    """The folder or archive, for messages."""
    names: list[str]
    """Of all files, relative to the place, with forward slashes."""
    folders: set[str]
    """Names of the folders, as far as the place tells; empty ones too."""
    read: Callable[[int], bytes]


def list_folder(path: Path) -> FileList:
    """List all files below a folder, following links.

    Raises:
        UserError: there is no such folder, or it cannot be read.
    """
    if not path.is_dir():
        problem = "is not a folder" if path.exists() else "does not exist"
        raise UserError(f"{path} {problem}; give a folder of images or an archive of one")
    files = FileList(str(path), [], set(), lambda index: _read(path / files.names[index]))
    try:
        _walk(path, "", (), files)
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error
    return files


def _walk(folder: Path, prefix: str, ancestors: tuple[str, ...], files: FileList) -> None:
    real = os.path.realpath(folder)
    if real in ancestors:
        return
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = prefix + entry.name
            if entry.is_dir():
                files.folders.add(name)
                _walk(folder / entry.name, f"{name}/", (*ancestors, real), files)
            else:
                files.names.append(name)


def _read(path: Path) -> bytes:
    check_file(path, "picture")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
