"""`dataset.json` of StyleGAN's dataset tool says the classes; its numbered folders don't."""

import json
import re
from pathlib import Path

import pytest
from image_files import pack, png, write_tree

from squeezespan.data.images import ImageSet
from squeezespan.data.specs import Split, open_images

_CLASSES = [0, 2, 1, 2]
_NESTED = [f"{n // 2:05}/img{n:08}.png" for n in range(4)]
_FLAT = [f"img{n:08}.png" for n in range(4)]


def _files(names: list[str], labels: object, prefix: str = "") -> dict[str, bytes]:
    files = {f"{prefix}{name}": png(seed) for seed, name in enumerate(names)}
    return files | {f"{prefix}dataset.json": json.dumps({"labels": labels}).encode()}


def _open(path: Path, split: Split = "train") -> ImageSet:
    return open_images(f"folder:{path}", split)


@pytest.mark.parametrize("names", [_NESTED, _FLAT, _NESTED[:2]])
@pytest.mark.parametrize("packed", ["", "a.zip", "a.tar", "a.tar.xz"])
@pytest.mark.parametrize("wrapped", ["", "shapes/"])
def test_labels_are_those_of_the_file(
    tmp_path: Path, names: list[str], packed: str, wrapped: str
) -> None:
    pairs = [[name, label] for name, label in zip(names, _CLASSES, strict=False)]
    files = _files(names, pairs, wrapped)
    images = _open(pack(tmp_path / packed, files) if packed else write_tree(tmp_path, files))
    assert images.class_names == ["0", "1", "2"]
    assert images.labels is not None
    assert images.labels.tolist() == _CLASSES[: len(names)]


def test_names_with_backslashes_and_a_dict_of_labels(tmp_path: Path) -> None:
    labels = {name.replace("/", "\\"): label for name, label in zip(_NESTED, "abca", strict=True)}
    images = _open(write_tree(tmp_path, _files(_NESTED, labels)))
    assert images.class_names == ["a", "b", "c"]


@pytest.mark.parametrize("where", ["", "train/"])
def test_split_folders(tmp_path: Path, where: str) -> None:
    inside = "" if where else "train/"
    pairs = [[f"{inside}{name}", label] for name, label in zip(_NESTED, _CLASSES, strict=True)]
    files = {f"train/{name}": png(seed) for seed, name in enumerate(_NESTED)}
    files |= {f"{where}dataset.json": json.dumps({"labels": pairs}).encode()}
    images = _open(write_tree(tmp_path, files | {"test/0.png": png(9)}))
    assert images.labels is not None
    assert images.labels.tolist() == _CLASSES


def test_test_archives_are_numbered_as_train(tmp_path: Path) -> None:
    pairs = [[name, label] for name, label in zip(_NESTED, _CLASSES, strict=True)]
    train = pack(tmp_path / "x-train.tar.xz", _files(_NESTED, pairs))
    pack(tmp_path / "x-test.tar.xz", _files(_NESTED[:1], [[_NESTED[0], 1]]))
    test = _open(train, "test")
    assert test.class_names == ["0", "1", "2"]
    assert test.labels is not None
    assert test.labels.tolist() == [1]


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (None, "dataset.json gives none"),
        ([], "names none of these images"),
        ([["00000/img00000000.png", 1]], "only 1 of the 4 images have one; .*img00000001"),
        ([[name, None] for name in _NESTED], "names none of these images"),
        ([[name, [0.1, 0.2]] for name in _NESTED], "is a list, not one class"),
        ([[name, -1] for name in _NESTED], "negative"),
        (7, "no list of names and labels"),
        ([1, 2], "no list of names and labels"),
    ],
)
def test_running_folders_are_never_classes(tmp_path: Path, labels: object, problem: str) -> None:
    images = _open(pack(tmp_path / "a.zip", _files(_NESTED, labels)))
    assert len(images) == 4
    assert images.labels is None
    assert re.search(problem, images.label_problem)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    files = _files(_NESTED, None) | {"dataset.json": b"{"}
    assert _open(write_tree(tmp_path, files)).label_problem == "dataset.json is not JSON"


def test_another_file_of_this_name_leaves_class_folders_alone(tmp_path: Path) -> None:
    files = {f"{name}/0.png": png(0) for name in ("cat", "dog")}
    write_tree(tmp_path, files | {"dataset.json": b'{"title": "pets"}'})
    assert _open(tmp_path).class_names == ["cat", "dog"]
