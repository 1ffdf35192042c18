"""`wds:` reads WebDataset shards."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import pack, picture, png

from squeezespan.data.sources.shards import expand_pattern
from squeezespan.data.specs import open_images
from squeezespan.errors import UserError


def _shards(root: Path, suffix: str = ".tar") -> str:
    for shard in range(3):
        files: dict[str, bytes] = {}
        for i in range(4):
            key = f"a/sample{shard}{i}"
            files |= {f"{key}.cls": str(i % 3).encode(), f"{key}.txt": b"text"}
            files |= {f"{key}.mask.png": png(900), f"{key}.png": png(10 * shard + i)}
        pack(root / f"pets-train-{shard:03d}{suffix}", files)
    pack(root / f"pets-val-0{suffix}", {"b.png": png(77), "b.json": b'{"label": 2, "x": 1}'})
    return f"{root}/pets-{{split}}-*{suffix}"


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_samples_are_grouped_by_name(tmp_path: Path, suffix: str) -> None:
    _shards(tmp_path, suffix)
    images = open_images(f"wds:{tmp_path}/pets-train-{{000..002}}{suffix}", "train")
    assert len(images) == 12
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 2, 0] * 3
    assert images.class_names == ["0", "1", "2"]
    expected = np.asarray(picture(21)).transpose(2, 0, 1)
    assert np.array_equal(images.batch(torch.tensor([9]))[0].numpy(), expected)


def test_shards_larger_than_memory_are_read_where_they_lie(tmp_path: Path) -> None:
    pattern = f"wds:{_shards(tmp_path)}"
    kept = open_images(pattern, "train")
    read = open_images(pattern, "train", memory_limit=0, num_workers=2)
    order = torch.randperm(12)
    assert torch.equal(read.batch(order), kept.batch(order))


def test_split_in_the_pattern(tmp_path: Path) -> None:
    images = open_images(f"wds:{_shards(tmp_path)}", "test")
    assert images.labels is not None
    assert images.labels.tolist() == [2]


def test_unlabelled_shards(tmp_path: Path) -> None:
    pack(tmp_path / "a.tar", {"0.png": png(0), "1.png": png(1)})
    assert open_images(f"wds:{tmp_path}/a.tar", "train").labels is None


def _numbered(values: list[bytes], extension: str = "json") -> dict[str, bytes]:
    files = {f"{i}.png": png(i) for i in range(len(values))}
    return files | {f"{i}.{extension}": value for i, value in enumerate(values) if value}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (_numbered([b"1", b""], "cls"), r"only 1 of the 2 .* without is a\.tar/1\.png"),
        (_numbered([b"1", b"-1"], "cls"), r"that of a\.tar/1\.png is negative"),
        (_numbered([b"\xff", b"1"], "cls"), "cannot be read"),
        (_numbered([b'{"label": 0.5}', b'{"label": 1}']), r"is 0\.5, which is no class number"),
        (_numbered([b'{"label": [0, 3]}', b'{"label": [1]}']), "is a list, not one class"),
        (_numbered([b'{"label": NaN}', b'{"label": 1}']), "is nan"),
        (_numbered([b'{"label": 4000000000}', b'{"label": 1}']), "too large"),
        (_numbered([b'{"label": "a"}', b'{"label": 1}']), "some are numbers and some are texts"),
        (_numbered([b'{"caption": "x"}', b'{"label": null}']), "there are none"),
        (_numbered([b"[" * 100_000, b"{"]), "cannot be read"),
    ],
)
def test_labels_that_are_no_classes_stop_nothing(
    tmp_path: Path, files: dict[str, bytes], problem: str
) -> None:
    pack(tmp_path / "a.tar", files)
    images = open_images(f"wds:{tmp_path}/a.tar", "train")
    assert len(images) == 2
    assert images.labels is None
    assert re.search(problem, images.label_problem)


@pytest.mark.parametrize(
    ("files", "names", "labels"),
    [
        (_numbered([b"dog", b"cat"], "cls"), ["cat", "dog"], [1, 0]),
        (_numbered([b'{"label": "b"}', b'{"label": "a"}']), ["a", "b"], [1, 0]),
        (_numbered([b'{"label": 2.0}', b'{"label": 0}']), ["0", "1", "2"], [2, 0]),
        (_numbered([b'{"cls": 1}', b'{"cls": 0}']), ["0", "1"], [1, 0]),
        (
            _numbered([b'{"label": 5}', b'{"label": 5}']) | {"0.cls": b"1", "1.cls": b"0"},
            ["0", "1"],
            [1, 0],
        ),
    ],
)
def test_labels_of_other_types(
    tmp_path: Path, files: dict[str, bytes], names: list[str], labels: list[int]
) -> None:
    pack(tmp_path / "a.tar", files)
    images = open_images(f"wds:{tmp_path}/a.tar", "train")
    assert images.labels is not None
    assert (images.class_names, images.labels.tolist()) == (names, labels)


@pytest.mark.parametrize("word", ["validation", "VALID", "Testing", "val"])
def test_splits_of_other_names(tmp_path: Path, word: str) -> None:
    pack(tmp_path / "pets-Training-0000.tar", {"0.png": png(0), "1.png": png(1)})
    pack(tmp_path / f"pets-{word}-00.tar", {"0.png": png(0)})
    assert len(open_images(f"wds:{tmp_path}/pets-{{split}}-*.tar", "train")) == 2
    assert len(open_images(f"wds:{tmp_path}/pets-{{split}}-*.tar", "test")) == 1


def test_a_missing_split_says_what_is_there(tmp_path: Path) -> None:
    for word in ("train", "dev"):
        pack(tmp_path / f"pets-{word}-0.tar", {"0.png": png(0)})
    with pytest.raises(UserError, match="no test split: there are dev, train"):
        open_images(f"wds:{tmp_path}/pets-{{split}}-0.tar", "test")


def test_samples_without_an_image_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(tmp_path / "a.tar", {"0.png": png(0), "0.txt": b"", "1.heic": b"", "2.heic": b""})
    assert len(open_images(f"wds:{tmp_path}/a.tar", "train")) == 1
    assert "samples without an image hold" in (err := capsys.readouterr().err)
    assert "2 .heic" in err


def test_braces() -> None:
    assert expand_pattern("s-{08..10}.tar") == ["s-08.tar", "s-09.tar", "s-10.tar"]
    assert expand_pattern("{a,b}/{0..1}") == ["a/0", "a/1", "b/0", "b/1"]
    assert expand_pattern("plain.tar") == ["plain.tar"]


@pytest.mark.parametrize("pattern", ["{3..1}", "{a}", "{0..9999999}", "{0..999}{0..999}{0..999}"])
def test_braces_that_make_no_sense(pattern: str) -> None:
    with pytest.raises(UserError):
        expand_pattern(pattern)


def test_missing_shard_is_named(tmp_path: Path) -> None:
    _shards(tmp_path)
    with pytest.raises(UserError, match=r"pets-train-003\.tar"):
        open_images(f"wds:{tmp_path}/pets-train-{{000..003}}.tar", "train")
    with pytest.raises(UserError, match="no test split"):
        open_images(f"wds:{tmp_path}/pets-train-{{000..002}}.tar", "test")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"0.txt": b""}, "no images"),
        ({"0.png": png(0), "0.jpg": png(1)}, "two images"),
        ({"0.heic": b"", "0.cls": b"1"}, r"no images, only .* 1 \.heic"),
        ({"0.png": png(0), "../0.cls": b"1"}, "climbs out"),
    ],
)
def test_shards_that_cannot_be_read(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    pack(tmp_path / "a.tar", files)
    with pytest.raises(UserError, match=message):
        open_images(f"wds:{tmp_path}/a.tar", "train")
