"""`hf:` reads data sets of the `datasets` library."""

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_files import pets, picture, write_tree

from squeezespan.data.specs import Split, open_images
from squeezespan.errors import UserError

_INSTALLED = importlib.util.find_spec("datasets") is not None
needs_datasets = pytest.mark.skipif(not _INSTALLED, reason="needs the extra squeezespan[data]")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the library off the network and its cache out of the home folder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@needs_datasets
@pytest.mark.usefixtures("offline")
def test_local_image_folder(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "set", pets(2, 3) | pets(1, 1, "test", seed=50))
    train = open_images(f"hf:{root}", "train")
    assert train.class_names == ["cat", "dog"]
    assert train.labels is not None
    assert train.labels.tolist() == [0, 0, 1, 1, 1]
    expected = np.asarray(picture(101)).transpose(2, 0, 1)
    assert np.array_equal(train.batch(torch.tensor([3]))[0].numpy(), expected)
    assert len(open_images(f"hf:{root}", "test")) == 2
    with pytest.raises(UserError, match="no unlabeled split"):
        open_images(f"hf:{root}", "unlabeled")


@needs_datasets
@pytest.mark.usefixtures("offline")
def test_images_inside_tables(tmp_path: Path) -> None:
    import datasets

    features: Any = datasets.Features({"img": datasets.Image(), "score": datasets.Value("float32")})
    rows = {"img": [picture(i) for i in range(3)], "score": [0.0, 0.5, 1.0]}
    (tmp_path / "set").mkdir()
    table = datasets.Dataset.from_dict(rows, features=features)
    table.to_parquet(tmp_path / "set" / "train.parquet")
    images = open_images(f"hf:{tmp_path / 'set'}", "train")
    assert images.labels is None
    expected = np.asarray(picture(2)).transpose(2, 0, 1)
    assert np.array_equal(images.batch(torch.tensor([2]))[0].numpy(), expected)


def _write(folder: Path, images: list[Any], labels: list[Any], kind: Any, column: str) -> str:
    import datasets

    folder.mkdir()
    features: Any = datasets.Features({"image": datasets.Image(), column: kind})
    table = datasets.Dataset.from_dict({"image": images, column: labels}, features=features)
    for split in ("train", "validation"):
        table.to_parquet(folder / f"{split}.parquet")
    return f"hf:{folder}"


@needs_datasets
@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("kind", "column", "values", "names", "labels"),
    [
        ("int64", "label", [2, 0, 1], ["0", "1", "2"], [2, 0, 1]),
        ("uint8", "cls", [1, 0, 1], ["0", "1"], [1, 0, 1]),
        ("string", "Label", ["dog", "cat", "dog"], ["cat", "dog"], [1, 0, 1]),
        ("bool", "target", [True, False, True], ["False", "True"], [1, 0, 1]),
        ("float32", "label", [1.0, 0.0, 1.0], ["0", "1"], [1, 0, 1]),
    ],
)
def test_label_columns_of_other_types(
    tmp_path: Path, kind: str, column: str, values: list[Any], names: list[str], labels: list[int]
) -> None:
    import datasets

    pictures = [picture(i) for i in range(3)]
    spec = _write(tmp_path / "set", pictures, values, datasets.Value(kind), column)
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        images = open_images(spec, split)
        assert images.labels is not None
        assert (images.class_names, images.labels.tolist()) == (names, labels)


@needs_datasets
@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("list", [[0], [1]], "in the column label .* of the type List"),
        ("class", [0, None], "only 1 of the 2 images have one; the first without is row 1"),
        ("class", [-1, -1], "in the column label that of row 0 is negative"),
        ("caption", ["a", "b"], "no column of labels is among image, caption"),
    ],
)
def test_columns_that_are_no_classes_stop_nothing(
    tmp_path: Path, kind: str, values: list[Any], problem: str
) -> None:
    import datasets

    kinds: dict[str, Any] = {
        "list": datasets.List(datasets.Value("int64")),
        "class": datasets.ClassLabel(names=["a", "b"]),
        "caption": datasets.Value("string"),
    }
    column = "caption" if kind == "caption" else "label"
    spec = _write(tmp_path / "set", [picture(0), picture(1)], values, kinds[kind], column)
    images = open_images(spec, "train")
    assert len(images) == 2
    assert images.labels is None
    assert re.search(problem, images.label_problem)


@needs_datasets
@pytest.mark.usefixtures("offline")
def test_rows_without_an_image_are_named(tmp_path: Path) -> None:
    import datasets

    label = datasets.Value("int64")
    spec = _write(tmp_path / "null", [picture(0), None, None], [0, 1, 1], label, "label")
    with pytest.raises(
        UserError, match=r"image 1 of train in .*, nor image 2 of train: the row has no"
    ):
        open_images(spec, "train", resolution=8)
    empty = {"bytes": b"", "path": None}
    spec = _write(tmp_path / "empty", [picture(0), empty], [0, 1], label, "label")
    with pytest.raises(UserError, match=r"image 1 of train in "):
        open_images(spec, "train", resolution=8)


@needs_datasets
@pytest.mark.usefixtures("offline")
def test_images_that_are_gone_are_named(tmp_path: Path) -> None:
    import datasets

    gone = {"bytes": None, "path": str(tmp_path / "gone.png")}
    table = datasets.Dataset.from_dict({"image": [gone]}).cast_column("image", datasets.Image())
    kept = table.data.table.replace_schema_metadata(table.features.arrow_schema.metadata)
    (tmp_path / "set").mkdir()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    parquet.write_table(kept, tmp_path / "set" / "train.parquet")
    with pytest.raises(UserError, match=r"cannot read .*gone\.png: No such file"):
        open_images(f"hf:{tmp_path / 'set'}", "train")


@needs_datasets
@pytest.mark.usefixtures("offline")
def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot open hf:"):
        open_images(f"hf:{tmp_path / 'missing'}", "train")
    write_tree(tmp_path / "set", {"train.csv": b"a,b\n1,2\n"})
    with pytest.raises(UserError, match="no column of images; its columns are a, b"):
        open_images(f"hf:{tmp_path / 'set'}", "train")


def test_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find_nothing)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install 'squeezespan\[data\]'"):
        open_images("hf:cifar10", "train")
