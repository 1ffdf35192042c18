"""Few-label protocol: logistic regression from n labelled images a class, over several draws."""

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.evaluation.logistic import Standardizer, fit_logistic
from squeezespan.randomness import derive_seed

__all__ = ["draw_shots", "fewshot_scores"]


def draw_shots(labels: Tensor, per_class: int, seed: int) -> Tensor:
    """Draw `per_class` samples of every class.

    Args:
        labels: int64 [N] on the CPU.
        per_class: how many of each.
        seed: draws them.

    Returns:
        Indices int64 [classes * per_class].

    Raises:
        UserError: a class has fewer samples.
    """
    random = torch.Generator().manual_seed(derive_seed(seed, "shots"))
    order = torch.randperm(len(labels), generator=random)
    chosen = []
    for label in sorted(set(labels.tolist())):
        members = order[labels[order] == label]
        if len(members) < per_class:
            raise UserError(
                f"class {label} has {len(members)} train images, fewer than the {per_class} "
                "labels a class that were asked for: give a smaller --shots"
            )
        chosen.append(members[:per_class])
    return torch.cat(chosen)


def fewshot_scores(
    train_x: Tensor,
    train_y: Tensor,
    test_x: Tensor,
    *,
    classes: int,
    per_class: int,
    draws: int,
    seed: int = 0,
) -> list[Tensor]:
    """Fit on a few labels, again and again, and score all of test by each fit.

    Features are standardized over the whole train set without its labels. With so few labels none
    is spent on choosing the regularization: it is scikit-learn's default, C = 1.

    Args:
        train_x: features float [N, D].
        train_y: labels int64 [N].
        test_x: features float [M, D] on the same device.
        classes: number of classes.
        per_class: labels a class.
        draws: independent draws of the labelled images.
        seed: of the draws.

    Returns:
        For each draw scores float [M, classes].

    Raises:
        UserError: a class has fewer than `per_class` train images.
    """
    standardize = Standardizer(train_x)
    tested = standardize(test_x)
    scores = []
    for draw in range(draws):
        rows = draw_shots(train_y.cpu(), per_class, derive_seed(seed, draw)).to(train_x.device)
        labels = train_y.to(train_x.device)[rows]
        classifier = fit_logistic(standardize(train_x[rows]), labels, classes, 1 / len(rows))
        scores.append(classifier(tested))
    return scores
