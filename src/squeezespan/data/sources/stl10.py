"""The data spec `stl10:DIR`: the official binary files, or an image-folder tree."""

from pathlib import Path

import numpy as np

from squeezespan.data.sources.archives import ARCHIVE_SUFFIXES
from squeezespan.data.sources.base import ArraySource, Source
from squeezespan.data.sources.tree import open_tree
from squeezespan.data.splits import Split, split_of
from squeezespan.errors import UserError

__all__ = ["open_stl10"]

_SIDE = 96
_PIXELS = 3 * _SIDE * _SIDE


def open_stl10(path: Path, split: Split, *, memory_limit: int) -> Source:
    """Open one split of STL-10 (https://cs.stanford.edu/~acoates/stl10).

    torchvision reads the labelled images where it knows the checksums. The 100,000 unlabeled ones
    stay in their file: it would add up their checksum every time and hold them in memory (12 s of
    a slow core and 2.6 GiB, for 0.1 s and 1 MiB here; 2 x AMD EPYC, 2026-11-25).

    Args:
        path: a folder that holds the official binary files or their folder `stl10_binary`; or
            archives of image folders named like `stl10-train.tar.xz`; or the folders `train`,
            `test` and `unlabeled`.
        split: `train`, `test` or `unlabeled`.
        memory_limit: bytes of a compressed archive that may be kept in memory.

    Raises:
        UserError: nothing of this kind is there, or it is damaged.
    """
    if not path.is_dir():
        raise UserError(f"there is no folder {path}; give the one that holds stl10")
    for folder in (path, path / "stl10_binary"):
        if (folder / f"{split}_X.bin").is_file():
            return _official(folder, split) or _read_binary(folder, split)
    for suffix in ARCHIVE_SUFFIXES:
        archive = path / f"stl10-train{suffix}"
        if archive.is_file():
            return open_tree(archive, split, memory_limit=memory_limit)
    if any(split_of(entry.name) and entry.is_dir() for entry in path.iterdir()):
        return open_tree(path, split, memory_limit=memory_limit)
    packed = path / "stl10_binary.tar.gz"
    if packed.is_file():
        raise UserError(f"{packed} is still packed; unpack it with: tar -xzf {packed} -C {path}")
    raise UserError(
        f"{path} holds no {split} split of stl10: neither stl10_binary/{split}_X.bin nor image "
        "folders"
    )


def _official(folder: Path, split: Split) -> ArraySource | None:
    """Let torchvision read labelled files whose checksums it knows; None for others."""
    from torchvision.datasets import STL10

    class Labelled(STL10):  # type: ignore[misc]  # torchvision has no types
        # Not the sum of the unlabeled images.
        train_list = STL10.train_list[:2]

    if split == "unlabeled" or folder.name != STL10.base_folder:
        return None
    if not (folder / STL10.class_names_file).is_file():
        return None
    try:
        found = Labelled(folder.parent, split=split)
    except RuntimeError:
        return None
    pixels = found.data.transpose(0, 2, 3, 1)
    return ArraySource(str(folder), pixels, found.classes, found.labels.tolist())


def _read_binary(folder: Path, split: Split) -> ArraySource:
    file = folder / f"{split}_X.bin"
    if not file.stat().st_size or file.stat().st_size % _PIXELS:
        raise UserError(f"{file} is cut short or not of stl10; unpack the archive again")
    # Images are stored column by column; mapped, not read: the unlabeled ones are 2.8 GB.
    stored = np.memmap(file, np.uint8, mode="r").reshape(-1, 3, _SIDE, _SIDE)
    pixels = stored.transpose(0, 3, 2, 1)
    if split == "unlabeled":
        return ArraySource(str(file), pixels)
    try:
        labels = np.fromfile(folder / f"{split}_y.bin", np.uint8)
        class_names = (folder / "class_names.txt").read_text(encoding="utf-8").split()
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error
    known = len(labels) == len(pixels) and 1 <= labels.min() <= labels.max() <= len(class_names)
    if not known:
        raise UserError(f"{split}_y.bin in {folder} does not fit the images and class names")
    return ArraySource(str(file), pixels, class_names, (labels.astype(int) - 1).tolist())
