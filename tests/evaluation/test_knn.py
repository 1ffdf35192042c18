"""kNN against scikit-learn's with the same metric and weights."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from squeezespan.evaluation.knn import knn_predict, knn_scores


def _features(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)) + 0.3


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_votes_are_scikit_learns(temperature: float) -> None:
    train_x, test_x = _features(90, 0), _features(40, 1)
    train_y = torch.arange(90) % 4

    def weights(distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp((1 - distances) / temperature)

    reference = KNeighborsClassifier(15, metric="cosine", weights=weights)
    reference.fit(train_x.double().numpy(), train_y.numpy())
    votes = knn_scores(train_x, train_y, test_x, k=15, temperature=temperature, chunk=7)
    shares = votes / votes.sum(1, keepdim=True)
    np.testing.assert_allclose(shares, reference.predict_proba(test_x.double().numpy()), atol=1e-5)


def test_small_train_sets_and_temperatures() -> None:
    """All of train votes where it is smaller than k, and a hot vote doesn't overflow."""
    x = torch.eye(3)
    predicted = knn_predict(x, torch.tensor([2, 0, 1]), x, k=200, temperature=0.001)
    assert predicted.tolist() == [2, 0, 1]


def test_by_default_200_neighbours_vote_at_temperature_a_tenth() -> None:
    train_x, test_x = _features(300, 0), _features(20, 1)
    # Two in a hundred are of the second class, so that few votes decide.
    train_y = (torch.arange(300) % 50 == 0).long()
    expected = knn_scores(train_x, train_y, test_x, k=200, temperature=0.1)
    assert torch.equal(knn_scores(train_x, train_y, test_x), expected)
    for k, temperature in ((1, 0.1), (300, 100.0)):
        votes = knn_scores(train_x, train_y, test_x, k=k, temperature=temperature)
        predicted = knn_predict(train_x, train_y, test_x, k=k, temperature=temperature)
        assert torch.equal(predicted, votes.argmax(1))
    labels = torch.arange(300) % 7
    by_default = knn_predict(train_x, labels, test_x)
    assert torch.equal(by_default, knn_predict(train_x, labels, test_x, k=200, temperature=0.1))
    assert not torch.equal(by_default, knn_predict(train_x, labels, test_x, temperature=1.1))
