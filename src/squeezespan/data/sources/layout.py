"""How a tree of files is read as a data set: its splits and its classes."""

from collections.abc import Iterable
from dataclasses import dataclass

from squeezespan.data.decode import is_image
from squeezespan.data.sources.base import Split
from squeezespan.data.sources.files import FileList
from squeezespan.errors import UserError

__all__ = ["Layout", "read_layout"]

_FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "test": ("test", "val"),
    "unlabeled": ("unlabeled",),
}
_SPLIT_FOLDERS = frozenset(name for names in _FOLDERS.values() for name in names)


@dataclass(frozen=True)
class Layout:
    """Which files of a list are the images of a split."""

    indices: list[int]
    """Into the list, by ascending name."""
    class_names: list[str]
    """Ascending; empty if unlabelled."""
    labels: list[int] | None
    """One for each index, into `class_names`."""


def read_layout(files: FileList, split: Split, *, alone: Split = "train") -> Layout:
    """Find the images of one split and their classes.

    The tree holds split folders (`train`, `test` or `val`, `unlabeled`), each with class folders
    or with images; or, without split folders, class folders or images that are the split `alone`.
    One folder around everything does not count. Names that begin with a dot and files that are
    not images are passed over.

    Args:
        files: all files of the tree.
        split: which images to find.
        alone: the split that a tree without split folders is.

    Raises:
        UserError: no such split; no images; images both inside and beside class folders; a class
            folder without images.
    """
    names = {name: i for i, name in enumerate(files.names) if is_image(name) and _shown(name)}
    folders = {name for name in files.folders if _shown(name)}
    for name in names:
        parents = name.split("/")[:-1]
        folders |= {"/".join(parents[: depth + 1]) for depth in range(len(parents))}
    if not names:
        raise UserError(f"{files.place} holds no images; check the path")
    root = _root(names, folders)
    found = _split_folders(root, names, folders)
    if found:
        present = [name for name in _FOLDERS[split] if name in found]
        if not present:
            raise UserError(
                f"{files.place} has no {split} split: it holds {_listed(found)}; add the folder "
                f"{_FOLDERS[split][0]}"
            )
        root = f"{root}{present[0]}/"
    elif split != alone:
        raise UserError(
            f"{files.place} has no {split} split; put its images into folders named train and "
            f"{split if split != 'train' else 'test'}"
        )
    return _classes(files.place, names, folders, root, labelled=split != "unlabeled")


def _root(names: Iterable[str], folders: set[str]) -> str:
    """Give the prefix of folders that are only wrapped around a tree."""
    root = ""
    while True:
        top = {_first(name, root) for name in names}
        top |= {_first(folder, root) for folder in folders if folder.startswith(root)} - {""}
        only = min(top)
        if len(top) > 1 or only in _SPLIT_FOLDERS or f"{root}{only}" not in folders:
            return root
        root = f"{root}{only}/"


def _split_folders(root: str, names: Iterable[str], folders: set[str]) -> set[str]:
    """Give the split folders at the root, unless they are classes of such names."""
    found = {name for name in _SPLIT_FOLDERS if f"{root}{name}" in folders}
    top = {_first(name, root) for name in names}
    holds_classes = any(
        _first(name, root) in found and name.count("/") > root.count("/") + 1 for name in names
    )
    return found if top <= found or holds_classes else set()


def _classes(
    place: str, names: dict[str, int], folders: set[str], root: str, *, labelled: bool
) -> Layout:
    members = sorted(name for name in names if name.startswith(root))
    where = f"{place}/{root}".rstrip("/")
    if not members:
        raise UserError(f"{where} holds no images; check the path")
    indices = [names[name] for name in members]
    inside = [_first(name, root) for name in members if "/" in name[len(root) :]]
    if not labelled or not inside:
        return Layout(indices, [], None)
    if len(inside) < len(members):
        beside = next(name for name in members if "/" not in name[len(root) :])
        raise UserError(
            f"{where} holds class folders and, beside them, images such as "
            f"{beside[len(root) :]}; move these into a class folder"
        )
    class_names = sorted(set(inside))
    below = {_first(folder, root) for folder in folders if folder.startswith(root)}
    if empty := below - set(class_names):
        raise UserError(
            f"{where} has class folders without images: {_listed(empty)}; fill or remove them"
        )
    numbers = {name: number for number, name in enumerate(class_names)}
    return Layout(indices, class_names, [numbers[name] for name in inside])


def _first(name: str, root: str) -> str:
    """Give the first part of a name after `root`, which it begins with."""
    return name[len(root) :].split("/", 1)[0]


def _shown(name: str) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _listed(names: Iterable[str], most: int = 5) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
