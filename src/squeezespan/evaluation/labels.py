"""The labels that an evaluation learns from and is judged by."""

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.errors import UserError

__all__ = ["labels_of", "require_labels"]


def require_labels(images: ImageSet, split: str) -> Tensor:
    """Give the labels of a split, int64 [N] on the CPU.

    Raises:
        UserError: it has none, for the reason that the message gives; or no images.
    """
    if images.labels is None:
        raise UserError(
            f"the {split} split of {images.name} has no labels, which an evaluation needs: "
            f"{images.label_problem}"
        )
    if not len(images):
        raise UserError(f"the {split} split of {images.name} has no images to evaluate with")
    return images.labels


def labels_of(train: ImageSet, test: ImageSet) -> tuple[Tensor, Tensor, list[str]]:
    """Give the labels of two splits with one numbering, train's.

    Args:
        train: labelled images.
        test: labelled images of some of train's classes.

    Returns:
        Labels of train and of test, int64 on the CPU, and the names of the classes.

    Raises:
        UserError: a split without labels or images, or test classes that train lacks.
    """
    train_y, test_y = require_labels(train, "train"), require_labels(test, "test")
    if train.class_names == test.class_names:
        return train_y, test_y, train.class_names
    if unknown := sorted(set(test.class_names) - set(train.class_names)):
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise UserError(
            f"the test split of {test.name} has classes that train lacks: "
            f"{', '.join(unknown[:3])}{more}; name the classes alike"
        )
    places = torch.tensor([train.class_names.index(name) for name in test.class_names])
    return train_y, places[test_y], train.class_names
