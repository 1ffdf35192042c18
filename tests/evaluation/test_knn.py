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
    """Alike as they are, all neighbours vote about equally; the 201st would decide."""
    angle = torch.arange(1, 302) * 1e-4
    train_x = torch.stack([angle.cos(), angle.sin()], dim=1)
    test_x = torch.tensor([[1.0, 0.0]])
    train_y = torch.arange(301) % 2
    train_y[200:] = 1
    votes = {k: knn_scores(train_x, train_y, test_x, k=k) for k in (200, 201)}
    assert [int(vote.argmax(1)) for vote in votes.values()] == [0, 1]
    assert torch.equal(knn_scores(train_x, train_y, test_x), votes[200])
    assert knn_predict(train_x, train_y, test_x).tolist() == [0]
    assert knn_predict(train_x, train_y, test_x, k=201).tolist() == [1]
    assert knn_predict(train_x, train_y, test_x, k=1).tolist() == [0]

    train_x, test_x, train_y = _features(300, 0), _features(20, 1), torch.arange(300) % 7
    cold = knn_predict(train_x, train_y, test_x, temperature=0.1)
    assert torch.equal(knn_predict(train_x, train_y, test_x), cold)
    assert not torch.equal(cold, knn_predict(train_x, train_y, test_x, temperature=1.1))
