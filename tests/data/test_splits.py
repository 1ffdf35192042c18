"""One table of names says what is a split, and what only looks like one."""

import pytest

from squeezespan.data.splits import Split, choose_split, looks_like_split, split_of
from squeezespan.errors import UserError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "train") for name in ("train", "Training", "TRAIN")),
        *((name, "test") for name in ("test", "TESTING", "Val", "valid", "Validation")),
        ("unlabeled", "unlabeled"),
        *((name, None) for name in ("tram", "trains", "seg_train", "dev", "", "contest")),
    ],
)
def test_names(name: str, split: Split | None) -> None:
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["train", "val", "test"], "test"),
        (["Validation", "train"], "Validation"),
        (["train"], None),
        ([], None),
    ],
)
def test_test_goes_before_validation(present: list[str], chosen: str | None) -> None:
    assert choose_split("test", present, "x") == chosen


def test_two_names_of_one_split() -> None:
    with pytest.raises(UserError, match="x has both Train and training"):
        choose_split("train", ["training", "Train", "test"], "x")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        *((name, "train") for name in ("seg_train", "trainA", "train2017", "trainset", "TRN")),
        *((name, "test") for name in ("testB", "val2017", "TestSet", "images_val", "dev", "tst")),
        *((name, None) for name in ("contest", "restraint", "trainee", "cat", "value", "2017")),
    ],
)
def test_hints(name: str, hint: Split | None) -> None:
    assert looks_like_split(name) == hint
