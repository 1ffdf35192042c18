"""`hf:` reads data sets of the `datasets` library."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_files import pets, picture, write_tree

from squeezespan.data.specs import open_images
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
