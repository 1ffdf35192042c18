"""Archives of image folders: which files are some, and which archives belong together."""

import re
from pathlib import Path

from squeezespan.data.sources.dataset_json import LABEL_FILE
from squeezespan.data.sources.files import FileList
from squeezespan.data.sources.tar import Shelf, read_tar
from squeezespan.data.sources.zip import list_zip
from squeezespan.data.splits import SPLIT_WORDS, Split, choose_split, split_of
from squeezespan.errors import UserError

__all__ = ["ARCHIVE_SUFFIXES", "archive_split", "is_archive", "list_archive", "sibling_archive"]

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
"""What an archive's file name may end with."""

_WORD = re.compile(rf"(?<![a-z])({SPLIT_WORDS})(?![a-z])", re.IGNORECASE)


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file is an archive that can be read."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def list_archive(path: Path, *, memory_limit: int, contents: bool = True) -> FileList:
    """List the files of an archive, readable by index.

    Args:
        path: of the archive.
        memory_limit: bytes of a compressed tar that may be kept in memory.
        contents: False lists names alone, which needs no memory; `read` then gives label files and
            nothing else.

    Raises:
        UserError: not a readable archive, or a member that is not safe.
    """
    if path.name.lower().endswith(".zip"):
        return list_zip(path)
    shelf = Shelf(memory_limit)
    places: dict[int, int] = {}
    files = FileList(str(path), [], set(), lambda index: shelf.read(places[index]))
    for member in read_tar(path, files.folders):
        if contents or member.name.endswith(LABEL_FILE):
            places[len(files.names)] = len(places)
            shelf.add(path, member)
        files.names.append(member.name)
    if len(set(files.names)) < len(files.names):
        raise UserError(f"{path} holds two files of the same name; pack it again")
    return files


def archive_split(path: Path) -> Split | None:
    """Tell which split an archive is named after, as `pets-train.tar.xz` is."""
    words = _WORD.findall(path.name)
    return split_of(words[-1]) if words else None


def sibling_archive(path: Path, split: Split) -> Path | None:
    """Give the archive beside `path` that is named after a split, or `path` itself if it is.

    `pets-train.tar.xz` has the siblings `pets-test.tar.xz` or, where that is missing,
    `pets-val.tar.xz`; the words of `data.splits` will do, in any case.

    Returns:
        None where there is none, or `path` is named after no split.

    Raises:
        UserError: two archives are named after the split.
    """
    match = list(_WORD.finditer(path.name))
    if not match or archive_split(path) == split:
        return path if match else None
    before, after = path.name[: match[-1].start()], path.name[match[-1].end() :]
    words = {
        name[len(before) : len(name) - len(after)]: name
        for name in (file.name for file in path.parent.iterdir())
        if name.startswith(before) and name.endswith(after)
    }
    word = choose_split(split, words, f"{path.parent}")
    return None if word is None else path.with_name(words[word])
