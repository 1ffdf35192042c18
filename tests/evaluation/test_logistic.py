"""Logistic regression: its optimum, its choice of the regularization, and what it is told."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from squeezespan.data.order import split_holdout
from squeezespan.errors import UserError
from squeezespan.evaluation.logistic import (
    L2_GRID,
    Standardizer,
    choose_l2,
    fit_logistic,
    logistic_scores,
)


def blobs(n: int, dim: int, spread: float, classes: int = 3) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    centers = torch.randn(classes, dim, generator=torch.Generator().manual_seed(99))
    labels = torch.arange(n) % classes
    return centers[labels] + spread * torch.randn(n, dim, generator=random), labels


@pytest.mark.parametrize("l2", [1.0, 0.01])
def test_the_objectives_gradient_vanishes(l2: float) -> None:
    x, y = blobs(150, 5, spread=1.5)
    found = fit_logistic(x.double(), y, 3, l2)
    weight, bias = found.weight.requires_grad_(), found.bias.requires_grad_()
    objective = F.cross_entropy(F.linear(x.double(), weight, bias), y)
    objective = objective + l2 / 2 * weight.square().sum()
    for gradient in torch.autograd.grad(objective, [weight, bias]):
        assert gradient.abs().max() < 1e-5


def test_two_classes_and_left_out_ones_are_scikit_learns() -> None:
    x, two = blobs(80, 4, spread=1.0, classes=2)
    y = 1 + 2 * two
    reference = LogisticRegression(C=1 / (0.05 * 80), tol=1e-9).fit(x.double().numpy(), y.numpy())
    scores = fit_logistic(x.double(), y, 4, 0.05)(x.double())
    assert scores.shape == (80, 4)
    assert set(scores.argmax(1).tolist()) == {1, 3}
    expected = reference.predict_proba(x.double().numpy())
    np.testing.assert_allclose(scores.softmax(1)[:, [1, 3]], expected, atol=1e-4)


def test_a_single_class_is_all_that_is_predicted() -> None:
    x = torch.randn(5, 3)
    fitted = fit_logistic(x, torch.full((5,), 2), 4, 1.0)
    assert fitted(x).argmax(1).tolist() == [2] * 5


@pytest.mark.parametrize("classes", [2, 3])
def test_where_the_search_begins_shortens_it_and_changes_nothing(classes: int) -> None:
    x, y = blobs(120, 6, spread=1.0, classes=classes)
    near = fit_logistic(x, y, classes, 0.012)
    warm = fit_logistic(x, y, classes, 0.01, start=near)
    cold = fit_logistic(x, y, classes, 0.01)
    torch.testing.assert_close(warm(x).softmax(1), cold(x).softmax(1), atol=2e-3, rtol=0)
    few = [
        fit_logistic(x, y, classes, 0.01, start=start, max_iter=2)(x).softmax(1)
        for start in (near, None)
    ]
    errors = [float((shares - cold(x).softmax(1)).abs().max()) for shares in few]
    assert errors[0] < errors[1] / 2


def test_standardization_is_scikit_learns() -> None:
    x, _ = blobs(60, 4, spread=3)
    x[:, 2] = 7
    x[:, 3] = 1e4 + 0.1 * x[:, 3]
    x[:, 0] = 1e-4 * x[:, 0]
    scaled = Standardizer(x)(x + 1e-4)
    reference = StandardScaler().fit(x.double().numpy())
    np.testing.assert_allclose(scaled, reference.transform((x + 1e-4).double().numpy()), atol=2e-2)


def test_features_that_vary_by_rounding_alone_are_only_centred() -> None:
    x = torch.full((60, 2), 1e4)
    x[::2, 1] += 2e-3
    assert Standardizer(x)(x).abs().max() < 2e-3
    tiny = 1e-8 * torch.randn(60, 1, generator=torch.Generator().manual_seed(0))
    assert float(Standardizer(tiny)(tiny).std()) == pytest.approx(1, abs=0.02)


def correlated() -> tuple[Tensor, Tensor]:
    """Directions of scales from 0.03 to 3: the best regularization depends on the split."""
    x, y = blobs(210, 60, spread=2.5)
    mixed = torch.randn(60, 60, generator=torch.Generator().manual_seed(7))
    return x * torch.logspace(-1.5, 0.5, 60) @ torch.linalg.qr(mixed).Q, y


@pytest.mark.parametrize(("seed", "expected"), [(0, 1e-3), (1, 1e-1), (2, 1e-2), (3, 1.0)])
def test_regularization_is_chosen_on_the_held_out_tenth(seed: int, expected: float) -> None:
    x, y = correlated()
    fitted, held_out = split_holdout(210, 0.1, seed, y)
    assert len(held_out) == 21
    scores = []
    for l2 in L2_GRID:
        model = LogisticRegression(C=1 / (l2 * len(fitted)), max_iter=5000, tol=1e-6)
        model.fit(x[fitted].double().numpy(), y[fitted].numpy())
        scores.append(model.score(x[held_out].double().numpy(), y[held_out].numpy()))
    assert L2_GRID[int(np.argmax(scores))] == expected
    assert choose_l2(x, y, 3, seed) == expected


def test_seed_0_draws_the_split_where_none_is_given() -> None:
    x, y = correlated()
    chosen = [logistic_scores(x, y, x[:1], classes=3, seed=seed)[1] for seed in range(5)]
    assert len(set(chosen)) > 1
    assert chosen[0] != chosen[1]
    assert logistic_scores(x, y, x[:1], classes=3)[1] == chosen[0]


def test_the_strongest_of_equally_good_regularizations_is_taken() -> None:
    x, y = blobs(300, 80, spread=0.1)
    assert choose_l2(x, y, 3, seed=0) == L2_GRID[0] == 1.0
    assert choose_l2(x, y, 3, seed=0, grid=(0.3, 0.1)) == 0.3


def test_scores_are_of_a_fit_on_all_of_train_standardized_by_train() -> None:
    x, y = blobs(200, 60, spread=4.0)
    x, test_x = 5 * x + 3, 2 * torch.randn(40, 60, generator=torch.Generator().manual_seed(1))
    scores, l2 = logistic_scores(x, y, test_x, classes=3, seed=2)
    scaler = StandardScaler().fit(x.double().numpy())
    scaled = scaler.transform(x.double().numpy())
    assert l2 == choose_l2(torch.from_numpy(scaled).float(), y, 3, 2)
    reference = LogisticRegression(C=1 / (l2 * 200), tol=1e-8, max_iter=2000)
    reference.fit(scaled, y.numpy())
    expected = reference.predict_proba(scaler.transform(test_x.double().numpy()))
    np.testing.assert_allclose(scores.softmax(1), expected, atol=2e-3)


def test_classes_of_one_image_leave_nothing_to_choose_on() -> None:
    with pytest.raises(UserError, match=r"no class has two train images.*such as knn"):
        choose_l2(torch.randn(3, 2), torch.arange(3), 3, seed=0)
