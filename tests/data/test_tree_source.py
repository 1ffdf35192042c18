"""`folder:` reads splits, classes and unlabelled images from folders and archives."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import encoded, pack, pets, picture, png, write_tree

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


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "Test"),
        ("TRAIN", "TESTING"),
        ("training", "testing"),
        ("Training", "Val"),
        ("train", "VALID"),
        ("train", "Validation"),
    ],
)
def test_splits_go_by_many_names_in_any_case(tmp_path: Path, train: str, test: str) -> None:
    files = pets(2, 3, train) | pets(1, 2, test, seed=50)
    folder = write_tree(tmp_path / "tree", files)
    packed = pack(tmp_path / f"pets-{train}.zip", pets(2, 3, ""))
    pack(tmp_path / f"pets-{test}.zip", pets(1, 2, ""))
    for path in (folder, pack(tmp_path / "a.tar", files), packed):
        assert _open(path).class_names == ["cat", "dog"]
        assert _labels(_open(path)) == [0, 0, 1, 1, 1]
        assert _labels(_open(path, "test")) == [0, 1, 1]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (pets(1, 1, "seg_train") | pets(1, 1, "seg_test"), "seg_test, seg_train; .* seg_train"),
        ({"trainA/0.png": png(0), "testA/0.png": png(1)}, "look like splits: testA, trainA"),
        ({"images/train2017/0.png": png(0), "images/val2017/0.png": png(1)}, "train2017, val2017"),
        (pets(1, 1, "bottle/train") | pets(1, 1, "bottle/test") | {"nut/train/0.png": png(1)}, ""),
    ],
)
def test_test_images_are_never_learnt_from(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    message = message or "splits inside bottle .*; put the classes inside the splits"
    with pytest.raises(UserError, match=message):
        _open(write_tree(tmp_path, files))


def test_a_class_may_remind_of_a_split(tmp_path: Path) -> None:
    write_tree(tmp_path, {"bullet_train/0.png": png(0), "tram/0.png": png(1)})
    assert _open(tmp_path).class_names == ["bullet_train", "tram"]


def test_train_and_test_are_splits_whatever_lies_beside_them(tmp_path: Path) -> None:
    names = ("train/0.png", "test/0.png", "samples/0.png")
    write_tree(tmp_path, {name: png(seed) for seed, name in enumerate(names)})
    assert len(_open(tmp_path)) == len(_open(tmp_path, "test")) == 1


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (pets(1, 1) | {"train/0.png": png(5)}, r"beside its class folders .* such as 0\.png"),
        ({"train/0.png": png(5), "train/1.png": png(6)}, "in no class folders"),
        (
            {f"{n // 1000:05}/img{n:08}.png": png(n) for n in (0, 999, 1000, 2001)},
            "00000 are running numbers",
        ),
        ({f"{n // 1000:02}000/{n:05}.png": png(n) for n in (0, 1000, 2001)}, "running numbers"),
    ],
)
def test_what_is_no_class_tree_is_unlabelled_and_says_why(
    tmp_path: Path, files: dict[str, bytes], problem: str
) -> None:
    images = _open(write_tree(tmp_path, files))
    assert len(images) == len(files)
    assert images.labels is None
    assert re.search(problem, images.label_problem)


def test_numbers_may_be_classes(tmp_path: Path) -> None:
    write_tree(tmp_path, {"00000/7.png": png(0), "00001/8.png": png(1), "00001/9.png": png(2)})
    assert _labels(_open(tmp_path)) == [0, 1, 1]


def test_folders_without_images_are_no_classes_and_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path, pets(1, 1) | {"train/labels/x.txt": b""})
    (tmp_path / "train" / "cow").mkdir()
    assert _open(tmp_path).class_names == ["cat", "dog"]
    assert "folders without images are no classes: cow, labels" in capsys.readouterr().err


def test_names_cannot_write_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path, pets(1, 1) | {"train/e\x1b[2Jmp\nty/x.txt": b""})
    _open(tmp_path)
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith(r"are no classes: e\x1b[2Jmp ty")
    assert all(line.isprintable() for line in said)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_among_images_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(write_tree(tmp_path, pets(1, 1)) / "train" / "cat" / "z.png")
    with pytest.raises(UserError, match=r"z\.png is a named pipe, not a picture"):
        _open(tmp_path)


def test_files_that_are_not_read_are_counted_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"train/a.HEIC": b"", "train/cat/b.heic": b"", "train/notes": b"", "about.txt": b""}
    write_tree(tmp_path, pets(1, 1) | odd | {"train/cat/c.JFIF": encoded(picture(1), "JPEG")})
    assert len(_open(tmp_path)) == 3
    assert len(_open(tmp_path)) == 3
    line = "passed over files that are not read as images: 2 .heic and 1 without a suffix"
    assert capsys.readouterr().err.splitlines() == [f"{tmp_path}/train: {line}"]


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
        (pets(1, 1) | {"test/cat/a.txt": b""}, "no test split: test holds no images"),
        (pets(1, 1), r"no test split: it holds train; add or rename a folder to test"),
        (pets(1, 1) | {"exam/0.png": png(0)}, r"it holds train \(besides exam\)"),
        (pets(1, 1, "") | {"a.txt": b""}, "no test split: it holds the folders cat, dog"),
        ({"train/cat/0.heic": b"", "train/cat/1.heic": b""}, r"holds no images, only .* 2 \.heic"),
        (pets(1, 1, "test") | pets(1, 1, "Test"), "both Test and test, which mean the same split"),
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
