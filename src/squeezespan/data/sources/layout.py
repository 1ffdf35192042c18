"""How a tree of files is read as a data set: its splits and its classes."""

import posixpath
import re
from dataclasses import dataclass, field

from squeezespan.data.labels import Labels
from squeezespan.data.sources.dataset_json import read_label_file
from squeezespan.data.sources.files import FileList
from squeezespan.data.sources.passed_over import count_passed_over
from squeezespan.data.sources.split_folders import (
    Tree,
    all_folders,
    find_split,
    is_shown,
    listed,
    read_tree,
)
from squeezespan.data.splits import Split

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
    tree = read_tree(files)
    return _read_classes(tree, find_split(tree, split, alone), split)


def _read_classes(tree: Tree, root: str, split: Split) -> Layout:
    members = sorted(name for name in tree.images if name.startswith(root))
    indices = [tree.images[name] for name in members]
    passed = count_passed_over(
        name for name in tree.files.names if name.startswith(root) and is_shown(name)
    )
    where = f"{tree.files.place}/{root}".rstrip("/")
    notices = [f"{where}: passed over {passed}"] if passed else []
    if split == "unlabeled":
        return Layout(indices, Labels(), notices)
    given = read_label_file(tree.files, root, members)
    labels = given or _folder_labels(members, root)
    if given is None and labels.numbers and (empty := _empty_folders(tree, root)):
        notices.append(f"{where}: folders without images are no classes: {listed(empty)}")
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
        counter = re.search(r"(\d+)$", posixpath.splitext(name)[0])
        if counter is None or not _RUNNING.fullmatch(folder):
            return False
        thousands = int(counter[1][-12:]) // _THOUSAND
        if int(folder) not in (thousands, thousands * _THOUSAND):
            return False
    return True


def _empty_folders(tree: Tree, root: str) -> set[str]:
    below = {name[len(root) :].split("/", 1)[0] for name in tree.images if name.startswith(root)}
    return all_folders(tree.files, root) - below
