"""Logistic regression against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from squeezespan.evaluation.logistic import (
    L2_GRID,
    Standardizer,
    choose_l2,
    fit_logistic,
    logistic_scores,
)


def _blobs(n: int, dim: int, spread: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    centers = torch.randn(3, dim, generator=torch.Generator().manual_seed(99))
    labels = torch.arange(n) % 3
    return centers[labels] + spread * torch.randn(n, dim, generator=random), labels


@pytest.mark.parametrize("l2", [1.0, 0.01])
def test_optimum_is_scikit_learns(l2: float) -> None:
    x, y = _blobs(150, 5, spread=1.5)
    reference = LogisticRegression(C=1 / (l2 * len(x)), tol=1e-9, max_iter=5000)
    reference.fit(x.double().numpy(), y.numpy())
    ours = fit_logistic(x.double(), y, 3, l2)(x.double()).softmax(1)
    np.testing.assert_allclose(ours, reference.predict_proba(x.double().numpy()), atol=1e-4)


def test_standardization_is_scikit_learns() -> None:
    x, _ = _blobs(60, 4, spread=3)
    x[:, 2] = 7
    scaled = Standardizer(x)(x + 1)
    reference = StandardScaler().fit(x.numpy())
    np.testing.assert_allclose(scaled, reference.transform((x + 1).numpy()), atol=1e-4)


def test_regularization_is_chosen_within_train() -> None:
    """Noise wants it strong, separable classes don't mind; test data never matter."""
    noise, y = torch.randn(300, 80, generator=torch.Generator().manual_seed(1)), None
    y = torch.randint(3, (300,), generator=torch.Generator().manual_seed(2))
    x, labels = _blobs(300, 80, spread=0.1)
    assert choose_l2(x, labels, 3, seed=0) == L2_GRID[0]
    assert choose_l2(noise, y, 3, seed=0) >= 1e-3
    first, l2 = logistic_scores(x, labels, x[:9], classes=3, seed=4)
    second, same = logistic_scores(x, labels, -x, classes=3, seed=4)
    assert l2 == same
    assert first.argmax(1).tolist() == labels[:9].tolist()
    assert len(second) == 300
