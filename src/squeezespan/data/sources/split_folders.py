"""Which folder of a tree of files is a split, by the names of `data.splits`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from squeezespan.data.encoded import is_image
from squeezespan.data.sources.files import FileList
from squeezespan.data.sources.passed_over import count_passed_over
from squeezespan.data.splits import Split, choose_split, looks_like_split, split_names, split_of
from squeezespan.errors import UserError

__all__ = ["Tree", "all_folders", "find_split", "is_shown", "listed", "read_tree"]


@dataclass(frozen=True)
class Tree:
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


def read_tree(files: FileList) -> Tree:
    """Find the images among files, and the folder that they have in common.

    Raises:
        UserError: there are no images.
    """
    images = {name: i for i, name in enumerate(files.names) if is_image(name) and is_shown(name)}
    if not images:
        passed = count_passed_over(files.names)
        only = f", only {passed}; convert them" if passed else "; check the path"
        raise UserError(f"{files.place} holds no images{only}")
    return Tree(files, images, _root(images))


def find_split(tree: Tree, split: Split, alone: Split) -> str:
    """Give the prefix of the images of one split.

    Args:
        tree: of the images.
        split: which images to find.
        alone: the split that a tree without split folders is.

    Raises:
        UserError: no such split, or folders that look like splits of unknown names.
    """
    found = _split_folders(tree)
    if not found:
        _refuse_unknown_splits(tree)
        if split != alone:
            raise UserError(_no_split_folders(tree, split))
        return tree.root
    chosen = choose_split(split, found, tree.files.place)
    if chosen is None:
        raise UserError(_no_such_folder(tree, split, found))
    return f"{tree.root}{chosen}/"


def _root(images: Iterable[str]) -> str:
    """Give the prefix of folders that are only wrapped around a tree."""
    root = ""
    while True:
        top = {name[len(root) :].split("/", 1)[0] for name in images}
        only = min(top)
        if len(top) > 1 or split_of(only) or f"{root}{only}" in images:
            return root
        root = f"{root}{only}/"


def _split_folders(tree: Tree) -> set[str]:
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


def _refuse_unknown_splits(tree: Tree) -> None:
    """Keep test images out of training where folders hint at splits that they don't name."""
    alike = {name: hint for name in tree.folders if (hint := looks_like_split(name))}
    if alike and ({"train", "test"} <= set(alike.values()) or alike.keys() == tree.folders):
        # Of a train split first.
        one = min(alike, key=lambda name: (alike[name] != "train", name))
        raise UserError(
            f"{tree.files.place} holds folders that look like splits: {listed(alike)}; name them "
            f"train and test, or give one of them, such as {tree.root}{one}"
        )
    inside: dict[str, set[str]] = {}
    for name in tree.images:
        first, *middle = name[len(tree.root) :].split("/")[:-1] or [""]
        inside.setdefault(first, set()).update(folder for folder in middle if split_of(folder))
    for first, found in sorted(inside.items()):
        if {"train", "test"} <= {split_of(folder) for folder in found}:
            raise UserError(
                f"{tree.files.place} holds splits inside {first} ({listed(found)}); put the "
                f"classes inside the splits, as in train/{first}, or give one folder such as "
                f"{tree.root}{first}"
            )


def _no_such_folder(tree: Tree, split: Split, found: set[str]) -> str:
    others = all_folders(tree.files, tree.root) - found
    place = tree.files.place
    if empty := choose_split(split, others, place):
        return f"{place} has no {split} split: {tree.root}{empty} holds no images; fill it"
    besides = f" (besides {listed(others)})" if others else ""
    return (
        f"{place} has no {split} split: it holds {listed(found)}{besides}; add or rename a folder "
        f"to {split_names(split)[0]}"
    )


def _no_split_folders(tree: Tree, split: Split) -> str:
    other = "train" if split != "train" else "test"
    divided = "; or divide them by --test-share 0.2" if split == "test" else ""
    held = f"the folders {listed(tree.folders)}" if tree.folders else "images and no folders"
    return (
        f"{tree.files.place} has no {split} split: it holds {held}; put its images into folders, "
        f"or archives beside each other, named {other} and {split_names(split)[0]}"
        f"{divided}"
    )


def all_folders(files: FileList, root: str) -> set[str]:
    """Give the folders right below `root`, those without images too."""
    folders = {name for name in files.folders if name.startswith(root)}
    folders |= {name.rpartition("/")[0] for name in files.names if name.startswith(root)}
    tops = {name[len(root) :].split("/", 1)[0] for name in folders}
    return {name for name in tops if name and is_shown(name)}


def is_shown(name: str) -> bool:
    """Tell whether neither a file nor a folder around it is hidden."""
    return not (name.startswith((".", "__MACOSX/")) or "/." in name or "/__MACOSX/" in name)


def listed(names: Iterable[str], most: int = 5) -> str:
    """Give names for a message: the first few, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
