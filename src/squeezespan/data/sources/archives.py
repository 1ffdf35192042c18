"""Archives of image folders: which files are some, and which archives belong together."""

import re
from pathlib import Path

from squeezespan.data.sources.base import Split
from squeezespan.data.sources.files import FileList
from squeezespan.data.sources.tar import Shelf, read_tar
from squeezespan.data.sources.zip import list_zip
from squeezespan.errors import UserError

__all__ = ["ARCHIVE_SUFFIXES", "archive_split", "is_archive", "list_archive", "sibling_archive"]

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
"""What an archive's file name may end with."""

_NAMED: dict[str, Split] = {
    "train": "train",
    "test": "test",
    "val": "test",
    "unlabeled": "unlabeled",
}
_WORD = re.compile(r"(?<![a-z])(train|test|val|unlabeled)(?![a-z])")


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file is an archive that can be read."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def list_archive(path: Path, *, memory_limit: int, contents: bool = True) -> FileList:
    """List the files of an archive, readable by index.

    Args:
        path: of the archive.
        memory_limit: bytes of a compressed tar that may be kept in memory.
        contents: False lists names alone, which needs no memory; `read` is then not to be called.

    Raises:
        UserError: not a readable archive, or a member that is not safe.
    """
    if path.name.lower().endswith(".zip"):
        return list_zip(path)
    shelf = Shelf(memory_limit)
    files = FileList(str(path), [], set(), shelf.read)
    for member in read_tar(path, files.folders):
        files.names.append(member.name)
        if contents:
            shelf.add(path, member)
    if len(set(files.names)) < len(files.names):
        raise UserError(f"{path} holds two files of the same name; pack it again")
    return files


def archive_split(path: Path) -> Split | None:
    """Tell which split an archive is named after, as `pets-train.tar.xz` is."""
    words = _WORD.findall(path.name)
    return _NAMED[words[-1]] if words else None


def sibling_archive(path: Path, split: Split) -> Path:
    """Give the archive beside `path` that is named after another split, or `path` itself.

    `pets-train.tar.xz` has the siblings `pets-test.tar.xz` or, where that is missing,
    `pets-val.tar.xz`.
    """
    match = list(_WORD.finditer(path.name))
    if not match or archive_split(path) == split:
        return path
    start, end = match[-1].span()
    for word, named in _NAMED.items():
        candidate = path.with_name(path.name[:start] + word + path.name[end:])
        if named == split and candidate.is_file():
            return candidate
    return path
