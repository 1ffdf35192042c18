"""The data spec `folder:PATH`: folders and archives of images."""

from pathlib import Path

from squeezespan.data.sources.archives import (
    archive_split,
    is_archive,
    list_archive,
    sibling_archive,
)
from squeezespan.data.sources.base import EncodedSource, Split
from squeezespan.data.sources.files import FileList, list_folder
from squeezespan.data.sources.layout import Layout, read_layout
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
            safe; test classes that train does not have.
    """
    files = _list_files(path, split, memory_limit)
    layout = read_layout(files, split, alone=_alone(path, split))
    class_names, labels = layout.class_names, layout.labels
    if split == "test" and labels is not None:
        train = _train_layout(path, files, memory_limit)
        if train is not None and train.labels is not None:
            labels = _renumber(files.place, labels, class_names, train.class_names)
            class_names = train.class_names
    names = [files.names[i] for i in layout.indices]
    return EncodedSource(
        files.place, names, lambda i: files.read(layout.indices[i]), class_names, labels
    )


def _list_files(path: Path, split: Split, memory_limit: int, *, contents: bool = True) -> FileList:
    if path.is_dir():
        return list_folder(path)
    if not path.exists():
        raise UserError(f"there is no folder or archive {path}; check the path")
    if not is_archive(path):
        raise UserError(
            f"{path} is neither a folder nor an archive; give a folder, .tar, .tar.gz, .tar.xz "
            "or .zip"
        )
    archive = sibling_archive(path, split)
    return list_archive(archive, memory_limit=memory_limit, contents=contents)


def _alone(path: Path, split: Split) -> Split:
    if path.is_dir():
        return "train"
    return archive_split(sibling_archive(path, split)) or "train"


def _train_layout(path: Path, files: FileList, memory_limit: int) -> Layout | None:
    if not path.is_dir() and sibling_archive(path, "train") != Path(files.place):
        files = _list_files(path, "train", memory_limit, contents=False)
    try:
        return read_layout(files, "train", alone=_alone(path, "train"))
    except UserError:
        # A test split may stand alone; what is wrong with train is for opening train to say.
        return None


def _renumber(
    place: str, labels: list[int], class_names: list[str], train_names: list[str]
) -> list[int]:
    unknown = sorted(set(class_names) - set(train_names))
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise UserError(
            f"the test split of {place} has classes that train lacks: {', '.join(unknown[:3])}"
            f"{more}; name the class folders alike"
        )
    numbers = [train_names.index(name) for name in class_names]
    return [numbers[label] for label in labels]
