"""Multinomial logistic regression on cached features, by scikit-learn."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from squeezespan.data.order import split_holdout
from squeezespan.errors import UserError

__all__ = ["LinearClassifier", "Standardizer", "choose_l2", "fit_logistic", "logistic_scores"]

L2_GRID = tuple(10.0**exponent for exponent in range(0, -7, -1))
_HOLDOUT = 0.1


@dataclass(frozen=True)
class LinearClassifier:
    """Scores `x @ weight.T + bias`."""

    weight: Tensor
    """[classes, D]."""
    bias: Tensor
    """[classes]; -inf for a class that no label named."""

    def __call__(self, features: Tensor) -> Tensor:
        """Give scores [B, classes] of features [B, D]."""
        return F.linear(features, self.weight, self.bias)


class Standardizer:
    """Brings each feature to mean 0 and standard deviation 1 over a reference set.

    Args:
        reference: features float [N, D]; constant ones are only centred.
    """

    def __init__(self, reference: Tensor) -> None:
        std, self.mean = torch.std_mean(reference, dim=0, correction=0)
        self.scale = torch.where(std > 1e-6 * self.mean.abs().clamp(min=1e-6), 1 / std, 1.0)

    def __call__(self, features: Tensor) -> Tensor:
        """Transform features [B, D]."""
        return (features - self.mean) * self.scale


def fit_logistic(
    x: Tensor,
    y: Tensor,
    classes: int,
    l2: float,
    *,
    start: LinearClassifier | None = None,
    max_iter: int = 1000,
) -> LinearClassifier:
    """Minimise mean cross-entropy + l2 / 2 * |weight|^2; the bias is free.

    This is scikit-learn's `LogisticRegression(C=1 / (l2 * N))`, which for two classes has one
    weight vector, that of their difference, in place of two.

    Args:
        x: features float [N, D], best standardized.
        y: labels int64 [N] on the same device.
        classes: number of classes; labels may leave some out, which are then never predicted.
        l2: strength of the regularization.
        start: where the search begins; the optimum doesn't depend on it.
        max_iter: iterations at most; what they have reached is taken.

    Returns:
        The classifier, on the features' device.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    weight = x.new_zeros(classes, x.shape[1])
    bias = x.new_full((classes,), -torch.inf)
    present = torch.tensor(sorted(set(y.tolist())), device=y.device)
    if len(present) == 1:
        bias[present] = 0.0
        return LinearClassifier(weight, bias)
    model = LogisticRegression(C=1 / (l2 * len(x)), tol=1e-5, max_iter=max_iter, warm_start=True)
    if start is not None:
        model.coef_ = _one_row_for_two(start.weight[present]).cpu().numpy()
        model.intercept_ = _one_row_for_two(start.bias[present]).cpu().numpy()
    # The products are small: threads would only wait for each other.
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x.cpu().numpy(), y.cpu().numpy())
    fitted = [torch.from_numpy(array).to(x) for array in (model.coef_, model.intercept_)]
    weight[present], bias[present] = (_two_rows_for_one(rows) for rows in fitted)
    return LinearClassifier(weight, bias)


def _one_row_for_two(rows: Tensor) -> Tensor:
    return rows[1:] - rows[:1] if len(rows) == 2 else rows


def _two_rows_for_one(rows: Tensor) -> Tensor:
    return torch.cat([-rows, rows]) / 2 if len(rows) == 1 else rows


def choose_l2(
    x: Tensor, y: Tensor, classes: int, seed: int, grid: Sequence[float] = L2_GRID
) -> float:
    """Choose the regularization by the accuracy on a tenth of train that is held out.

    Args:
        x: train features float [N, D].
        y: train labels int64 [N].
        classes: number of classes.
        seed: draws the split.
        grid: strengths, from strong to weak; of equally good ones the strongest is taken.

    Returns:
        A member of `grid`.

    Raises:
        UserError: no class has two images.
    """
    fitted, held_out = (
        rows.to(x.device) for rows in split_holdout(len(y), _HOLDOUT, seed, y.cpu())
    )
    if not len(held_out):
        raise UserError(
            "no class has two train images, one of which could be held out to choose the "
            "regularization on; take another protocol, such as knn"
        )
    classifier, correct = None, []
    for l2 in grid:
        classifier = fit_logistic(x[fitted], y[fitted], classes, l2, start=classifier)
        correct.append(int((classifier(x[held_out]).argmax(1) == y[held_out]).sum()))
    return grid[correct.index(max(correct))]


def logistic_scores(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, *, classes: int, seed: int = 0
) -> tuple[Tensor, float]:
    """Fit on train with a regularization chosen within train, and score test.

    Args:
        train_x: features float [N, D].
        train_y: labels int64 [N] on the same device.
        test_x: features float [M, D] on the same device.
        classes: number of classes.
        seed: draws the split that the regularization is chosen on.

    Returns:
        Scores float [M, classes], and the chosen l2.
    """
    standardize = Standardizer(train_x)
    x = standardize(train_x)
    l2 = choose_l2(x, train_y, classes, seed)
    return fit_logistic(x, train_y, classes, l2)(standardize(test_x)), l2
