"""What an evaluation says of splits without labels, and how it numbers classes."""

import pytest
import torch

from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.errors import UserError
from squeezespan.evaluation.labels import labels_of


def _images(names: list[str], labels: list[int] | None, problem: str = "") -> ImageSet:
    numbers = None if labels is None else torch.tensor(labels)
    count = 2 if labels is None else len(labels)
    pixels = torch.zeros(count, 3, 8, 8, dtype=torch.uint8)
    return ResidentImages("wds:x", names, numbers, pixels, problem)


def test_test_classes_are_numbered_as_in_train() -> None:
    train = _images(["0", "1", "2"], [0, 1, 2])
    train_y, test_y, names = labels_of(train, _images(["1", "2"], [0, 1, 1]))
    assert (train_y.tolist(), test_y.tolist(), names) == ([0, 1, 2], [1, 2, 2], ["0", "1", "2"])


def test_test_classes_that_train_lacks() -> None:
    with pytest.raises(UserError, match="classes that train lacks: Cat; name the classes alike"):
        labels_of(_images(["cat"], [0]), _images(["Cat", "cat"], [0, 1]))


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_unlabelled_split_is_named_with_its_reason(split: str) -> None:
    labelled, unlabelled = _images(["a"], [0]), _images([], None, "they are lists")
    pair = (unlabelled, labelled) if split == "train" else (labelled, unlabelled)
    with pytest.raises(UserError, match=f"the {split} split of wds:x has no labels.*are lists"):
        labels_of(*pair)
