"""How a tree of files is read as a data set: its splits and its classes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from squeezespan.data.decode import is_image
from squeezespan.data.labels import Labels
from squeezespan.data.sources.dataset_json import read_label_file
from squeezespan.data.sources.files import FileList
from squeezespan.data.sources.passed_over import count_passed_over
from squeezespan.data.splits import Split, choose_split, looks_like_split, split_names, split_of
from squeezespan.errors import UserError

__all__ = ["Layout", "read_layout"]

_RUNNING = re.compile(r"\d{5}")
_THOUSAND = 1000


@dataclass(frozen=True)
class Layout:
    """Which files of a list are the images of a split."""

    indices: list[int]
    """Into the list, by ascending name."""
    labels: Labels
    """Of these images."""
    notices: list[str] = field(default_factory=list)
    """What a user should know and that stops nothing."""


@dataclass(frozen=True)
class _Tree:
    """The images of a tree, and the folder that its splits or classes lie in."""

    files: FileList
    images: dict[str, int]
    """Names to their places in the list."""
    root: str
    """Prefix of the images' names: folders that are only wrapped around the tree."""

    @cached_property
    def folders(self) -> set[str]:
        """Names of the folders at the root that hold images, at whatever depth."""
        below = (name[len(self.root) :] for name in self.images)
        return {name.split("/", 1)[0] for name in below if "/" in name}

    @cached_property
    def loose(self) -> list[str]:
        """Images at the root itself."""
        return [name for name in self.images if "/" not in name[len(self.root) :]]


def read_layout(files: FileList, split: Split, *, alone: Split = "train") -> Layout:
    """Find the images of one split and their classes.

    The tree holds split folders (`data.splits` has their names), each with class folders or with
    images; or, without split folders, class folders or images that are the split `alone`. One
    folder around everything does not count, nor do folders without images. Names that begin with
    a dot are passed over. A `dataset.json` of StyleGAN's dataset tool says the classes where there
    is one; folders are none then.

    Args:
        files: all files of the tree.
        split: which images to find.
        alone: the split that a tree without split folders is.

    Raises:
        UserError: no such split; no images; folders that look like splits of unknown names.
    """
    images = {name: i for i, name in enumerate(files.names) if is_image(name) and _shown(name)}
    if not images:
        passed = count_passed_over(files.names)
        raise UserError(f"{files.place} holds no images{passed and f', only {passed}'}")
    tree = _Tree(files, images, _root(images))
    found = _split_folders(tree)
    if not found:
        _refuse_unknown_splits(tree)
        if split != alone:
            raise UserError(_no_split_folders(tree, split))
        return _read_classes(tree, tree.root, split)
    chosen = choose_split(split, found, files.place)
    if chosen is None:
        raise UserError(_no_such_folder(tree, split, found))
    return _read_classes(tree, f"{tree.root}{chosen}/", split)


def _root(images: Iterable[str]) -> str:
    """Give the prefix of folders that are only wrapped around a tree."""
    root = ""
    while True:
        top = {name[len(root) :].split("/", 1)[0] for name in images}
        only = min(top)
        if len(top) > 1 or split_of(only) or f"{root}{only}" in images:
            return root
        root = f"{root}{only}/"


def _split_folders(tree: _Tree) -> set[str]:
    """Give the split folders at the root, unless they are classes of such names."""
    found = {name for name in tree.folders if split_of(name)}
    if {"train", "test"} <= {split_of(name) for name in found}:
        return found
    if tree.folders == found and not tree.loose:
        return found
    depth = tree.root.count("/") + 1
    holds_classes = any(
        name.count("/") > depth and name[len(tree.root) :].split("/", 1)[0] in found
        for name in tree.images
    )
    return found if holds_classes else set()


def _refuse_unknown_splits(tree: _Tree) -> None:
    """Keep test images out of training where folders hint at splits that they don't name."""
    alike = {name: hint for name in tree.folders if (hint := looks_like_split(name))}
    if alike and ({"train", "test"} <= set(alike.values()) or alike.keys() == tree.folders):
        # Of a train split first.
        one = min(alike, key=lambda name: (alike[name] != "train", name))
        raise UserError(
            f"{tree.files.place} holds folders that look like splits: {_listed(alike)}; name them "
            f"train and test, or give one of them, such as {tree.root}{one}"
        )
    inside: dict[str, set[str]] = {}
    for name in tree.images:
        first, *middle = name[len(tree.root) :].split("/")[:-1] or [""]
        inside.setdefault(first, set()).update(folder for folder in middle if split_of(folder))
    for first, found in sorted(inside.items()):
        if {"train", "test"} <= {split_of(folder) for folder in found}:
            raise UserError(
                f"{tree.files.place} holds splits inside {first} ({_listed(found)}); put the "
                f"classes inside the splits, as in train/{first}, or give one folder such as "
                f"{tree.root}{first}"
            )


def _no_such_folder(tree: _Tree, split: Split, found: set[str]) -> str:
    others = _all_folders(tree.files, tree.root) - found
    place = tree.files.place
    if empty := choose_split(split, others, place):
        return f"{place} has no {split} split: {tree.root}{empty} holds no images; fill it"
    besides = f" (besides {_listed(others)})" if others else ""
    return (
        f"{place} has no {split} split: it holds {_listed(found)}{besides}; add or rename a folder "
        f"to {split_names(split)[0]}"
    )


def _no_split_folders(tree: _Tree, split: Split) -> str:
    other = "train" if split != "train" else "test"
    held = f"the folders {_listed(tree.folders)}" if tree.folders else "images and no folders"
    return (
        f"{tree.files.place} has no {split} split: it holds {held}; put its images into folders, "
        f"or archives beside each other, named {other} and {split_names(split)[0]}"
    )


def _read_classes(tree: _Tree, root: str, split: Split) -> Layout:
    members = sorted(name for name in tree.images if name.startswith(root))
    indices = [tree.images[name] for name in members]
    passed = count_passed_over(
        name for name in tree.files.names if name.startswith(root) and _shown(name)
    )
    where = f"{tree.files.place}/{root}".rstrip("/")
    notices = [f"{where}: passed over {passed}"] if passed else []
    if split == "unlabeled":
        return Layout(indices, Labels(), notices)
    given = read_label_file(tree.files, root, members)
    labels = given or _folder_labels(members, root)
    if given is None and labels.numbers and (empty := _empty_folders(tree, root)):
        notices.append(f"{where}: folders without images are no classes: {_listed(empty)}")
    return Layout(indices, labels, notices)


def _folder_labels(members: list[str], root: str) -> Labels:
    """Take the first folder below `root` as the class of each image."""
    inside = [name[len(root) :].split("/", 1)[0] for name in members if "/" in name[len(root) :]]
    if not inside:
        return Labels(problem="its images lie in no class folders")
    if len(inside) < len(members):
        beside = next(name for name in members if "/" not in name[len(root) :])
        return Labels(
            problem=f"beside its class folders it holds images such as {beside[len(root) :]}"
        )
    if _are_running(members, inside):
        return Labels(
            problem=f"folders such as {inside[0]} are running numbers of StyleGAN's dataset tool "
            "and there is no dataset.json, which would say the classes"
        )
    class_names = sorted(set(inside))
    numbers = {name: number for number, name in enumerate(class_names)}
    return Labels(class_names, [numbers[name] for name in inside], "")


def _are_running(members: list[str], inside: list[str]) -> bool:
    """Tell folders of a thousand consecutive images, numbered by thousands or by images."""
    for name, folder in zip(members, inside, strict=True):
        counter = re.search(r"(\d+)$", PurePosixPath(name).stem)
        if counter is None or not _RUNNING.fullmatch(folder):
            return False
        thousands = int(counter[1][-12:]) // _THOUSAND
        if int(folder) not in (thousands, thousands * _THOUSAND):
            return False
    return True


def _empty_folders(tree: _Tree, root: str) -> set[str]:
    below = {name[len(root) :].split("/", 1)[0] for name in tree.images if name.startswith(root)}
    return _all_folders(tree.files, root) - below


def _all_folders(files: FileList, root: str) -> set[str]:
    """Give the folders right below `root`, those without images too."""
    listed = {name for name in files.folders if name.startswith(root)}
    listed |= {name.rpartition("/")[0] for name in files.names if name.startswith(root)}
    tops = {name[len(root) :].split("/", 1)[0] for name in listed}
    return {name for name in tops if name and _shown(name)}


def _shown(name: str) -> bool:
    return not any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _listed(names: Iterable[str], most: int = 5) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
