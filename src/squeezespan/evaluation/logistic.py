"""Multinomial logistic regression on cached features, by full-batch L-BFGS."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from squeezespan.data.order import split_holdout
from squeezespan.errors import UserError

__all__ = ["Standardizer", "choose_l2", "fit_logistic", "logistic_scores"]

L2_GRID = tuple(10.0**exponent for exponent in range(0, -7, -1))
_HOLDOUT = 0.1


@dataclass(frozen=True)
class LinearClassifier:
    """Scores `x @ weight.T + bias`."""

    weight: Tensor
    """[classes, D]."""
    bias: Tensor
    """[classes]."""

    def __call__(self, features: Tensor) -> Tensor:
        """Give scores [B, classes] of features [B, D]."""
        return F.linear(features, self.weight, self.bias)


class Standardizer:
    """Brings each feature to mean 0 and standard deviation 1 over a reference set.

    Args:
        reference: features float [N, D]; constant ones are only centred.
    """

    def __init__(self, reference: Tensor) -> None:
        std, self._mean = torch.std_mean(reference, dim=0, correction=0)
        self._scale = torch.where(std > 1e-6 * self._mean.abs().clamp(min=1e-6), 1 / std, 1.0)

    def __call__(self, features: Tensor) -> Tensor:
        """Transform features [B, D]."""
        return (features - self._mean) * self._scale


def fit_logistic(
    x: Tensor,
    y: Tensor,
    classes: int,
    l2: float,
    *,
    start: LinearClassifier | None = None,
    max_iter: int = 300,
) -> LinearClassifier:
    """Minimise mean cross-entropy + l2 / 2 * |weight|^2; the bias is free.

    This is scikit-learn's `LogisticRegression(C=1 / (l2 * N))`.

    Args:
        x: features float [N, D], best standardized.
        y: labels int64 [N] on the same device.
        classes: number of classes; labels may leave some out.
        l2: strength of the regularization.
        start: where the search begins; the optimum doesn't depend on it.
        max_iter: iterations at most.

    Returns:
        The classifier, on the features' device.
    """
    if start is None:
        start = LinearClassifier(x.new_zeros(classes, x.shape[1]), x.new_zeros(classes))
    weight = start.weight.clone().requires_grad_()
    bias = start.bias.clone().requires_grad_()
    solver = torch.optim.LBFGS(
        [weight, bias],
        max_iter=max_iter,
        tolerance_grad=1e-6,
        tolerance_change=1e-9,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(F.linear(x, weight, bias), y) + l2 / 2 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        solver.step(objective)  # type: ignore[no-untyped-call]
    return LinearClassifier(weight.detach(), bias.detach())


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
    best, best_correct = grid[0], -1
    classifier = None
    for l2 in grid:
        classifier = fit_logistic(x[fitted], y[fitted], classes, l2, start=classifier)
        correct = int((classifier(x[held_out]).argmax(1) == y[held_out]).sum())
        if correct > best_correct:
            best, best_correct = l2, correct
    return best


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
