"""`folder:` reads splits, classes and unlabelled images from folders and archives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import pack, pets, picture, png, write_tree

from squeezespan.data.images import ImageSet
from squeezespan.data.specs import Split, open_images
from squeezespan.errors import UserError

_ARCHIVES = ("a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.zip")


def _open(path: Path, split: Split = "train") -> ImageSet:
    return open_images(f"folder:{path}", split)


def _labels(images: ImageSet) -> list[int] | None:
    return None if images.labels is None else images.labels.tolist()


def test_split_folders(tmp_path: Path) -> None:
    root = write_tree(tmp_path, pets(2, 3) | pets(1, 2, "test", seed=50))
    train, test = _open(root), _open(root, "test")
    assert train.class_names == test.class_names == ["cat", "dog"]
    assert _labels(train) == [0, 0, 1, 1, 1]
    assert _labels(test) == [0, 1, 1]
    assert train.resolution == 8
    assert train.name == f"folder:{root}"
    expected = np.asarray(picture(101)).transpose(2, 0, 1)
    assert np.array_equal(train.batch(torch.tensor([3]))[0].numpy(), expected)


@pytest.mark.parametrize("name", _ARCHIVES)
def test_archives_hold_what_folders_hold(tmp_path: Path, name: str) -> None:
    files = {"README.txt": b"about"} | pets(2, 3) | pets(1, 2, "test", seed=50)
    folder = _open(write_tree(tmp_path / "tree", files), "test")
    archive = _open(pack(tmp_path / name, files), "test")
    assert archive.class_names == folder.class_names
    assert _labels(archive) == _labels(folder)
    assert torch.equal(archive.batch(torch.arange(3)), folder.batch(torch.arange(3)))


def test_order_is_by_name_whatever_the_archive_says(tmp_path: Path) -> None:
    files = pets(3, 2)
    forward = _open(pack(tmp_path / "a.tar", files))
    backward = _open(pack(tmp_path / "b.tar", dict(reversed(files.items()))))
    assert torch.equal(forward.batch(torch.arange(5)), backward.batch(torch.arange(5)))


def test_one_folder_around_everything_does_not_count(tmp_path: Path) -> None:
    files = {f"pets-1.0/{name}": data for name, data in (pets(1, 1) | pets(1, 1, "val")).items()}
    images = _open(pack(tmp_path / "a.tar.gz", files), "test")
    assert images.class_names == ["cat", "dog"]


def test_val_is_test_only_where_there_is_no_test(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 1) | pets(2, 2, "val"))
    assert len(_open(tmp_path, "test")) == 4
    write_tree(tmp_path, pets(3, 3, "test"))
    assert len(_open(tmp_path, "test")) == 6


def test_class_folders_without_splits_are_train(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(2, 1, ""))
    assert _labels(_open(tmp_path)) == [0, 0, 1]
    with pytest.raises(UserError, match="no test split"):
        _open(tmp_path, "test")


def test_classes_may_be_called_like_splits(tmp_path: Path) -> None:
    write_tree(tmp_path, {"bus/0.png": png(0), "train/0.png": png(1), "tram/0.png": png(2)})
    assert _open(tmp_path).class_names == ["bus", "train", "tram"]


def test_flat_folder_is_unlabelled(tmp_path: Path) -> None:
    write_tree(tmp_path, {"0.png": png(0), "1.png": png(1), "notes.txt": b"", ".2.png": b""})
    images = _open(tmp_path)
    assert len(images) == 2
    assert images.labels is None
    assert images.class_names == []


def test_unlabeled_folder(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 1) | {"unlabeled/a/0.png": png(7), "unlabeled/1.png": png(8)})
    images = _open(tmp_path, "unlabeled")
    assert len(images) == 2
    assert images.labels is None


def test_images_deep_inside_a_class(tmp_path: Path) -> None:
    write_tree(tmp_path, {"train/cat/images/0.png": png(0), "train/dog/images/0.png": png(1)})
    assert _labels(_open(tmp_path)) == [0, 1]


def test_test_classes_are_numbered_as_in_train(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 1) | {"train/ape/0.png": png(3)} | pets(0, 2, "test"))
    assert _open(tmp_path, "test").class_names == ["ape", "cat", "dog"]
    assert _labels(_open(tmp_path, "test")) == [2, 2]


def test_test_classes_that_train_lacks(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 1) | {"test/Cat/0.png": png(3)})
    with pytest.raises(UserError, match=r"test split .* classes that train lacks: Cat"):
        _open(tmp_path, "test")


def test_class_with_one_image(tmp_path: Path) -> None:
    write_tree(tmp_path, pets(1, 3))
    assert _labels(_open(tmp_path)) == [0, 1, 1, 1]


def test_archives_named_after_splits_belong_together(tmp_path: Path) -> None:
    train = pack(tmp_path / "pets-train.tar.xz", pets(2, 2))
    pack(tmp_path / "pets-val.tar.xz", pets(0, 1, "val"))
    assert _labels(_open(train, "test")) == [1]
    flat = pack(tmp_path / "birds-train.zip", pets(2, 2, ""))
    pack(tmp_path / "birds-test.zip", pets(1, 2, ""))
    assert len(_open(flat)) == 4
    assert _labels(_open(flat, "test")) == [0, 1, 1]
    assert len(_open(tmp_path / "birds-test.zip")) == 4


def test_linked_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    write_tree(tmp_path / "real", pets(1, 1, ""))
    root = tmp_path / "tree"
    root.mkdir()
    (root / "train").symlink_to(tmp_path / "real")
    (root / "train" / "cat" / "again").symlink_to(root)
    assert _labels(_open(root)) == [0, 1]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no images"),
        ({"train/cat/notes.txt": b""}, "holds no images"),
        (pets(1, 1) | {"test/cat/a.txt": b""}, "test holds no images"),
        (pets(1, 1), r"no test split: it holds train"),
        (pets(1, 1, "test") | {"test/0.png": png(0)}, r"beside them, images such as 0\.png"),
        (pets(1, 1, "test") | {"test/cow/a.txt": b""}, "without images: cow"),
    ],
)
def test_trees_that_are_no_test_split(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        _open(write_tree(tmp_path, files), "test")


def test_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder or archive"):
        _open(tmp_path / "missing")
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(UserError, match="neither a folder nor an archive"):
        _open(tmp_path / "a.csv")
