"""The data specs `cifar10:DIR` and `cifar100:DIR`: the official files, or an image-folder tree."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from squeezespan.data.decode import Pixels
from squeezespan.data.sources.archives import ARCHIVE_SUFFIXES
from squeezespan.data.sources.base import ArraySource, Source
from squeezespan.data.sources.tar import read_tar
from squeezespan.data.sources.tree import open_tree
from squeezespan.data.splits import Split, split_of
from squeezespan.errors import UserError
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.unpickler import unpickle
from squeezespan.untrusted.pickles.values import ArrayRecord

__all__ = ["CIFAR10", "CIFAR100", "CifarFormat", "open_cifar"]

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE


@dataclass(frozen=True)
class CifarFormat:
    """Names in the official distributions (https://www.cs.toronto.edu/~kriz/cifar.html)."""

    name: str
    folder: str
    """Of the files; the archives are named like it."""
    python: dict[str, tuple[str, ...]]
    """Split to its pickled files."""
    python_names: tuple[str, str]
    """The file and the key of the class names."""
    python_labels: str
    binary: dict[str, tuple[str, ...]]
    """Split to its files of fixed-size records."""
    binary_names: str
    label_bytes: int
    """In front of each record; the last is the class."""


CIFAR10 = CifarFormat(
    name="cifar10",
    folder="cifar-10",
    python={
        "train": tuple(f"data_batch_{i}" for i in range(1, 6)),
        "test": ("test_batch",),
    },
    python_names=("batches.meta", "label_names"),
    python_labels="labels",
    binary={
        "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        "test": ("test_batch.bin",),
    },
    binary_names="batches.meta.txt",
    label_bytes=1,
)
CIFAR100 = CifarFormat(
    name="cifar100",
    folder="cifar-100",
    python={"train": ("train",), "test": ("test",)},
    python_names=("meta", "fine_label_names"),
    python_labels="fine_labels",
    binary={"train": ("train.bin",), "test": ("test.bin",)},
    binary_names="fine_label_names.txt",
    label_bytes=2,
)


class _Files(NamedTuple):
    place: str
    read: Callable[[str], bytes]
    binary: bool


def open_cifar(form: CifarFormat, path: Path, split: Split, *, memory_limit: int) -> Source:
    """Open one split of CIFAR-10 or CIFAR-100.

    Args:
        form: which of the two.
        path: a folder that holds the official python or binary files, their folder, or their
            archive; or archives of image folders named like `cifar10-train.tar.xz`; or split
            folders of class folders.
        split: `train` or `test`.
        memory_limit: bytes of an archive that may be kept in memory.

    Raises:
        UserError: nothing of this kind is there, or it is damaged.
    """
    if split == "unlabeled":
        raise UserError(f"{form.name} has no unlabeled split; it has train and test")
    if not path.is_dir():
        raise UserError(f"there is no folder {path}; give the one that holds {form.name}")
    official = _official(form, path, split)
    if official is not None:
        return official
    files = _find(form, path, split)
    if files is not None:
        return (
            _read_binary(form, files, split) if files.binary else _read_python(form, files, split)
        )
    for suffix in ARCHIVE_SUFFIXES:
        archive = path / f"{form.name}-train{suffix}"
        if archive.is_file():
            return open_tree(archive, split, memory_limit=memory_limit)
    if any(split_of(entry.name) and entry.is_dir() for entry in path.iterdir()):
        return open_tree(path, split, memory_limit=memory_limit)
    raise UserError(
        f"{path} holds no {form.name}: neither {form.folder}-python.tar.gz or its files, nor "
        f"{form.name}-train.tar.xz, nor the folders train and test"
    )


def _official(form: CifarFormat, path: Path, split: Split) -> Source | None:
    """Let torchvision read the official files, whose checksums it knows; None for others."""
    from torchvision.datasets import CIFAR10 as TEN
    from torchvision.datasets import CIFAR100 as HUNDRED

    dataset = TEN if form is CIFAR10 else HUNDRED
    root = path.parent if path.name == dataset.base_folder else path
    folder = root / dataset.base_folder
    if not folder.is_dir():
        return None
    try:
        # NumPy warns of how Python 2 wrote its types.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dataset(root, train=split == "train")
    except RuntimeError:
        return None
    return ArraySource(str(folder), found.data, found.classes, found.targets)


def _find(form: CifarFormat, path: Path, split: Split) -> _Files | None:
    kinds = (
        (form.python, form.python_names[0], "python", False),
        (form.binary, form.binary_names, "binary", True),
    )
    for names, meta, kind, binary in kinds:
        wanted = (*names[split], meta)
        for folder in (path, *sorted(path.glob(f"{form.folder}*"))):
            if all((folder / name).is_file() for name in wanted):
                return _Files(str(folder), _reader(folder), binary)
        archive = path / f"{form.folder}-{kind}.tar.gz"
        if archive.is_file():
            return _Files(str(archive), _unpack(archive, wanted).__getitem__, binary)
    return None


def _reader(folder: Path) -> Callable[[str], bytes]:
    return lambda name: (folder / name).read_bytes()


def _unpack(archive: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for member in read_tar(archive):
        name = member.name.rsplit("/", 1)[-1]
        if name in wanted:
            found[name] = member.read()
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise UserError(f"{archive} lacks {missing[0]}; download it again")
    return found


def _read_python(form: CifarFormat, files: _Files, split: Split) -> ArraySource:
    pixels: list[Pixels] = []
    labels: list[int] = []
    for name in form.python[split]:
        batch = _unpickle(files, name)
        data, part = batch.get("data"), batch.get(form.python_labels)
        if (
            not isinstance(data, np.ndarray)
            or data.dtype != np.uint8
            or data.shape[1:] != (_PIXELS,)
            or not isinstance(part, list)
            or len(part) != len(data)
        ):
            raise UserError(
                f"{name} in {files.place} is damaged or not official: not a batch of {form.name}"
            )
        pixels.append(data)
        labels += part
    class_names = _unpickle(files, form.python_names[0]).get(form.python_names[1])
    return _source(form, files, np.concatenate(pixels), class_names, labels)


def _unpickle(files: _Files, name: str) -> dict[str, Any]:
    """Read a pickled dict as plain data."""
    try:
        value = unpickle(Cursor(memoryview(files.read(name))))
        if not isinstance(value, dict):
            raise MalformedError("it does not hold a dict")
    except MalformedError as error:
        raise UserError(f"{name} in {files.place} is damaged or not official: {error}") from error
    return {k: item.array if isinstance(item, ArrayRecord) else item for k, item in value.items()}


def _read_binary(form: CifarFormat, files: _Files, split: Split) -> ArraySource:
    records: list[Pixels] = []
    size = form.label_bytes + _PIXELS
    for name in form.binary[split]:
        data = np.frombuffer(files.read(name), np.uint8)
        if not len(data) or len(data) % size:
            raise UserError(f"{name} in {files.place} is cut short or not of {form.name}")
        records.append(data.reshape(-1, size))
    whole = np.concatenate(records)
    labels = whole[:, form.label_bytes - 1].tolist()
    class_names = files.read(form.binary_names).decode("utf-8", "replace").split()
    return _source(form, files, whole[:, form.label_bytes :], class_names, labels)


def _source(
    form: CifarFormat, files: _Files, flat: Pixels, class_names: Any, labels: list[int]
) -> ArraySource:
    if not isinstance(class_names, list) or not all(
        label in range(len(class_names)) for label in labels
    ):
        raise UserError(f"{files.place} has labels without class names; it is not {form.name}")
    pixels = flat.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
    return ArraySource(files.place, pixels, class_names, labels)
