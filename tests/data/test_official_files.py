"""CIFAR-10, CIFAR-100 and STL-10 in their official formats give what torchvision gives."""

import hashlib
import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import torchvision
from image_files import pack, pets, png, write_tree
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.data.sources.stl10 import _read_binary
from squeezespan.data.specs import open_images
from squeezespan.errors import UserError

_NAMES10 = [f"class{i}" for i in range(10)]
_NAMES100 = [f"fine{i}" for i in range(100)]


_PurePickler: Any = pickle._Pickler


class _Python2Pickler(_PurePickler):  # type: ignore[misc]
    """Writes as Python 2 did, whose text is bytes: the official files are from there."""

    dispatch: ClassVar = dict(_PurePickler.dispatch)

    def _save_bytes(self, value: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    def _save_text(self, value: str) -> None:
        self._save_bytes(value.encode("latin1"))

    dispatch[bytes] = _save_bytes
    dispatch[str] = _save_text


def _pickled(value: object) -> bytes:
    stream = io.BytesIO()
    _Python2Pickler(stream, protocol=2).dump(value)
    return stream.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def _flat(n: int, seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (n, 3072), np.uint8)


def _python10(root: Path) -> Path:
    batches = {f"data_batch_{i}": (4, i) for i in range(1, 6)} | {"test_batch": (3, 9)}
    files = {
        name: _pickled({"data": _flat(n, seed), "labels": [(seed + j) % 10 for j in range(n)]})
        for name, (n, seed) in batches.items()
    }
    files["batches.meta"] = _pickled({"label_names": _NAMES10, "num_vis": 3072})
    return write_tree(root / "cifar-10-batches-py", files).parent


def _python100(root: Path) -> Path:
    files = {
        name: _pickled({"data": _flat(n, seed), "fine_labels": list(range(n))})
        for name, n, seed in (("train", 6, 1), ("test", 4, 2))
    }
    files["meta"] = _pickled({"fine_label_names": _NAMES100, "coarse_label_names": []})
    return write_tree(root / "cifar-100-python", files).parent


def _without_checksums(dataset: Any, **names: Any) -> Any:
    """Give torchvision's reader, which else takes the official contents alone."""
    return type("Tiny", (dataset,), names)


def _same(images: ImageSet, pixels: Any, labels: list[int]) -> None:
    """Compare with pixels [N, H, W, 3]."""
    assert images.labels is not None
    assert images.labels.tolist() == labels
    expected: Tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    assert torch.equal(images.batch(torch.arange(len(images))), expected)


@pytest.mark.filterwarnings("ignore:numpy.core.multiarray is deprecated")
@pytest.mark.parametrize("split", ["train", "test"])
def test_cifar10_python_files(tmp_path: Path, split: Any) -> None:
    reference = _without_checksums(
        torchvision.datasets.CIFAR10,
        train_list=[[f"data_batch_{i}", None] for i in range(1, 6)],
        test_list=[["test_batch", None]],
        meta={"filename": "batches.meta", "key": "label_names", "md5": None},
    )
    root = _python10(tmp_path)
    theirs = reference(root, train=split == "train")
    for place in (root, root / "cifar-10-batches-py"):
        ours = open_images(f"cifar10:{place}", split)
        _same(ours, theirs.data, theirs.targets)
        assert ours.class_names == theirs.classes == _NAMES10
        assert ours.resolution == 32


@pytest.mark.filterwarnings("ignore:numpy.core.multiarray is deprecated")
@pytest.mark.parametrize("split", ["train", "test"])
def test_cifar100_python_files(tmp_path: Path, split: Any) -> None:
    reference = _without_checksums(
        torchvision.datasets.CIFAR100,
        train_list=[["train", None]],
        test_list=[["test", None]],
        meta={"filename": "meta", "key": "fine_label_names", "md5": None},
    )
    theirs = reference(_python100(tmp_path), train=split == "train")
    ours = open_images(f"cifar100:{tmp_path}", split)
    _same(ours, theirs.data, theirs.targets)
    assert ours.class_names == theirs.classes == _NAMES100


def test_cifar10_archive_as_downloaded(tmp_path: Path) -> None:
    root = _python10(tmp_path / "unpacked")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(root / "cifar-10-batches-py", "cifar-10-batches-py")
    packed = open_images(f"cifar10:{tmp_path}", "train")
    unpacked = open_images(f"cifar10:{root}", "train")
    assert torch.equal(packed.batch(torch.arange(20)), unpacked.batch(torch.arange(20)))
    assert packed.class_names == _NAMES10


@pytest.mark.parametrize(("name", "label_bytes"), [("cifar10", 1), ("cifar100", 2)])
def test_cifar_binary_files(tmp_path: Path, name: str, label_bytes: int) -> None:
    flat, labels = _flat(5, 0), [3, 1, 4, 1, 5]
    records = np.zeros((5, label_bytes + 3072), np.uint8)
    records[:, label_bytes - 1] = labels
    records[:, label_bytes:] = flat
    if name == "cifar10":
        names = {f"data_batch_{i}.bin": b"" for i in range(1, 6)} | {"test_batch.bin": b""}
        files = {f"cifar-10-batches-bin/{file}": records.tobytes() for file in names}
        files["cifar-10-batches-bin/batches.meta.txt"] = "\n".join(_NAMES10).encode() + b"\n\n"
    else:
        files = {"cifar-100-binary/test.bin": records.tobytes()}
        files["cifar-100-binary/fine_label_names.txt"] = "\n".join(_NAMES100).encode()
    images = open_images(f"{name}:{write_tree(tmp_path, files)}", "test")
    _same(images, flat.reshape(5, 3, 32, 32).transpose(0, 2, 3, 1), labels)


def test_cifar10_from_two_archives_of_image_folders(tmp_path: Path) -> None:
    pack(tmp_path / "cifar10-train.tar.xz", pets(2, 2))
    pack(tmp_path / "cifar10-test.tar.xz", pets(1, 2, "test"))
    images = open_images(f"cifar10:{tmp_path}", "test")
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 1]


def test_cifar10_from_image_folders(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(2, 2) | pets(1, 2, "test"))
    assert len(open_images(f"cifar10:{tmp_path}", "test")) == 3


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        pickle.dumps(_Trap()),
        pickle.dumps({"data": _Trap()}),
        pickle.dumps([1]),
        _pickled({"data": np.zeros((2, 3072), np.float64)}),
        _pickled({"data": np.array([{}], object)}),
    ],
)
def test_pickles_that_are_no_batches(
    content: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = _python10(tmp_path)
    (root / "cifar-10-batches-py" / "test_batch").write_bytes(content)
    with pytest.raises(UserError, match=r"test_batch in .* damaged or not official"):
        open_images(f"cifar10:{root}", "test")
    assert "run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "batch",
    [
        {"data": np.zeros((2, 100), np.uint8), "labels": [0, 1]},
        {"data": np.zeros((2, 3072), np.uint8), "labels": [0]},
        {"labels": [0]},
    ],
)
def test_batches_of_another_shape(tmp_path: Path, batch: dict[str, Any]) -> None:
    root = _python10(tmp_path)
    (root / "cifar-10-batches-py" / "test_batch").write_bytes(_pickled(batch))
    with pytest.raises(UserError, match="not a batch of cifar10"):
        open_images(f"cifar10:{root}", "test")


@pytest.mark.filterwarnings("ignore:numpy.core.multiarray is deprecated")
def test_files_whose_checksums_are_official_are_read_by_torchvision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _python10(tmp_path)
    folder = root / "cifar-10-batches-py"
    sums = {x.name: hashlib.md5(x.read_bytes()).hexdigest() for x in folder.iterdir()}
    official = torchvision.datasets.CIFAR10
    monkeypatch.setattr(
        official, "train_list", [[f"data_batch_{i}", sums[f"data_batch_{i}"]] for i in range(1, 6)]
    )
    monkeypatch.setattr(official, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(official, "meta", {**official.meta, "md5": sums["batches.meta"]})
    for place in (root, folder):
        ours = open_images(f"cifar10:{place}", "train")
        theirs = official(root, train=True)
        _same(ours, theirs.data, theirs.targets)
        assert ours.class_names == _NAMES10


def test_pickles_written_anew(tmp_path: Path) -> None:
    """As Python 3 writes them, in every protocol."""
    for protocol in range(6):
        root = _python10(tmp_path / str(protocol))
        batch = {"data": _flat(3, 9), "labels": [1, 2, 3]}
        (root / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(batch, protocol))
        _same(
            open_images(f"cifar10:{root}", "test"),
            _flat(3, 9).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1),
            [1, 2, 3],
        )


def _stl10(root: Path) -> Path:
    rng = np.random.default_rng(0)
    files = {"class_names.txt": "\n".join(_NAMES10).encode()}
    for split, n in (("train", 3), ("test", 2), ("unlabeled", 4)):
        pixels = rng.integers(0, 256, (n, 3, 96, 96), np.uint8)
        files[f"{split}_X.bin"] = pixels.tobytes()
        files[f"{split}_y.bin"] = bytes(range(1, n + 1))
    del files["unlabeled_y.bin"]
    return write_tree(root / "stl10_binary", files).parent


@pytest.mark.parametrize("split", ["train", "test", "unlabeled"])
def test_stl10_binary_files(tmp_path: Path, split: Any) -> None:
    reference = _without_checksums(
        torchvision.datasets.STL10,
        train_list=[[f"{name}.bin", None] for name in ("train_X", "train_y", "unlabeled_X")],
        test_list=[["test_X.bin", None], ["test_y.bin", None]],
    )
    theirs = reference(_stl10(tmp_path), split=split)
    for place in (tmp_path, tmp_path / "stl10_binary"):
        ours = open_images(f"stl10:{place}", split)
        assert torch.equal(ours.batch(torch.arange(len(ours))), torch.from_numpy(theirs.data))
        assert ours.resolution == 96
        if split == "unlabeled":
            assert ours.labels is None
        else:
            assert ours.labels is not None
            assert ours.labels.tolist() == theirs.labels.tolist()
            assert ours.class_names == theirs.classes


@pytest.mark.parametrize("split", ["train", "test", "unlabeled"])
def test_labelled_stl10_whose_checksums_are_official_is_read_by_torchvision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: Any
) -> None:
    folder = _stl10(tmp_path) / "stl10_binary"
    ours = open_images(f"stl10:{tmp_path}", split)
    sums = [[x.name, hashlib.md5(x.read_bytes()).hexdigest()] for x in folder.glob("*.bin")]
    known = {name: [name, digest] for name, digest in sums}
    official = torchvision.datasets.STL10
    # A sum of the unlabeled images that nobody may ask for.
    unlabeled = ["unlabeled_X.bin", "0" * 32]
    monkeypatch.setattr(
        official, "train_list", [known["train_X.bin"], known["train_y.bin"], unlabeled]
    )
    monkeypatch.setattr(official, "test_list", [known["test_X.bin"], known["test_y.bin"]])
    read: list[str] = []

    def noted(folder: Path, split: Any) -> Any:
        read.append(split)
        return _read_binary(folder, split)

    monkeypatch.setattr("squeezespan.data.sources.stl10._read_binary", noted)
    for place in (tmp_path, folder):
        theirs = open_images(f"stl10:{place}", split)
        every = torch.arange(len(ours))
        assert torch.equal(theirs.batch(every), ours.batch(every))
        assert theirs.class_names == ours.class_names
        assert (theirs.labels is None) == (ours.labels is None)
        if theirs.labels is not None and ours.labels is not None:
            assert theirs.labels.tolist() == ours.labels.tolist()
    assert read == (["unlabeled"] * 2 if split == "unlabeled" else [])


def test_stl10_image_folders(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 1) | pets(1, 1, "test") | {"unlabeled/0.png": png(0)})
    assert len(open_images(f"stl10:{tmp_path}", "unlabeled")) == 1
    assert len(open_images(f"stl10:{tmp_path}", "test")) == 2


def test_stl10_cut_short(tmp_path: Path) -> None:
    file = _stl10(tmp_path) / "stl10_binary" / "test_X.bin"
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(UserError, match=r"test_X\.bin is cut short"):
        open_images(f"stl10:{tmp_path}", "test")


def test_stl10_labels_that_do_not_fit(tmp_path: Path) -> None:
    file = _stl10(tmp_path) / "stl10_binary" / "test_y.bin"
    file.write_bytes(bytes([1, 11]))
    with pytest.raises(UserError, match=r"test_y\.bin .* does not fit"):
        open_images(f"stl10:{tmp_path}", "test")


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "stl10"])
def test_folder_that_holds_something_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"holds no .*{name}"):
        open_images(f"{name}:{tmp_path}", "train")
    with pytest.raises(UserError, match="no folder"):
        open_images(f"{name}:{tmp_path / 'missing'}", "train")


def test_shared_archives_as_cifar10(shared: Path) -> None:
    images = open_images(f"cifar10:{shared / 'data'}", "test", num_workers=2)
    assert len(images) == 10_000
    assert images.resolution == 32
    assert images.labels is not None
    assert images.labels.bincount().tolist() == [1000] * 10
