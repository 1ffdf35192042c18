"""The data spec `folder:PATH`: folders and archives of images."""

from pathlib import Path

from squeezespan.data.labels import renumbered
from squeezespan.data.sources.archives import (
    archive_split,
    is_archive,
    list_archive,
    sibling_archive,
)
from squeezespan.data.sources.base import EncodedSource
from squeezespan.data.sources.files import FileList, list_folder
from squeezespan.data.sources.layout import Layout, read_layout
from squeezespan.data.splits import Split
from squeezespan.errors import UserError

__all__ = ["open_tree"]


def open_tree(path: Path, split: Split, *, memory_limit: int) -> EncodedSource:
    """Open the images of one split of a folder or an archive.

    Classes are numbered as in the train split, where there is one. An archive that is named after
    a split, as `pets-train.tar.xz` is, finds the others beside it.

    Args:
        path: a folder, or a .tar, .tar.gz, .tar.bz2, .tar.xz or .zip of one.
        split: which images; `test` takes a folder `val` where there is no `test`.
        memory_limit: bytes of a compressed tar that may be kept in memory.

    Raises:
        UserError: no such folder, archive, split or images; an archive that is damaged or not
            safe.
    """
    place, alone = _locate(path, split)
    files = _list_files(place, memory_limit)
    layout = read_layout(files, split, alone=alone)
    labels = layout.labels
    if split == "test" and labels.numbers is not None:
        train = _layout_of("train", path, files, memory_limit)
        if train is not None:
            labels = renumbered(labels, train.labels)
    names = [files.names[i] for i in layout.indices]
    return EncodedSource(
        files.place,
        names,
        lambda i: files.read(layout.indices[i]),
        labels,
        notices=layout.notices,
        has_test=lambda: _layout_of("test", path, files, memory_limit) is not None,
    )


def _locate(path: Path, split: Split) -> tuple[Path, Split]:
    """Give the folder or archive of a split, and the split that it is without split folders."""
    if path.is_dir():
        return path, "train"
    if not path.exists():
        raise UserError(f"there is no folder or archive {path}; check the path")
    if not is_archive(path):
        raise UserError(
            f"{path} is neither a folder nor an archive; give a folder, .tar, .tar.gz, .tar.xz "
            "or .zip"
        )
    archive = sibling_archive(path, split) or path
    return archive, archive_split(archive) or "train"


def _list_files(path: Path, memory_limit: int, *, contents: bool = True) -> FileList:
    if path.is_dir():
        return list_folder(path)
    return list_archive(path, memory_limit=memory_limit, contents=contents)


def _layout_of(split: Split, path: Path, files: FileList, memory_limit: int) -> Layout | None:
    """Give the layout of another split than the one that was asked for; None without it."""
    place, alone = _locate(path, split)
    if place != Path(files.place):
        files = _list_files(place, memory_limit, contents=False)
    try:
        return read_layout(files, split, alone=alone)
    except UserError:
        # A split may stand alone; what is wrong with the other is for opening that one to say.
        return None
