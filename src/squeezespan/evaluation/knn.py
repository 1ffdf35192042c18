"""Weighted k-nearest-neighbour classification (Wu et al. 2018, Section 3.4)."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["knn_predict", "knn_scores"]


def knn_scores(
    train_x: Tensor,
    train_y: Tensor,
    test_x: Tensor,
    *,
    k: int = 200,
    temperature: float = 0.1,
    chunk: int = 1000,
) -> Tensor:
    """Let the k most similar train samples vote, each with weight exp(cosine / temperature).

    Args:
        train_x: features float [N, D].
        train_y: labels int64 [N], from 0.
        test_x: features float [M, D] on the same device.
        k: neighbours; all of train where it has fewer.
        temperature: above 0.
        chunk: test samples at a time.

    Returns:
        Votes float32 [M, classes], each row up to a factor of its own.
    """
    k = min(k, len(train_x))
    classes = int(train_y.max()) + 1
    train_y = train_y.to(train_x.device)
    train_x = F.normalize(train_x.float(), dim=1)
    votes = []
    for part in torch.split(F.normalize(test_x.float(), dim=1), chunk):
        similarity, neighbors = (part @ train_x.T).topk(k, dim=1)
        # Relative to the nearest one: the same ranking, and exp can't overflow.
        weights = ((similarity - similarity[:, :1]) / temperature).exp()
        tally = torch.zeros(len(part), classes, device=part.device)
        votes.append(tally.scatter_add_(1, train_y[neighbors], weights))
    return torch.cat(votes)


def knn_predict(
    train_x: Tensor,
    train_y: Tensor,
    test_x: Tensor,
    k: int = 200,
    temperature: float = 0.1,
) -> Tensor:
    """Classify by weighted nearest neighbours.

    Args:
        train_x: features float [N, D].
        train_y: labels int64 [N], from 0.
        test_x: features float [M, D] on the same device.
        k: neighbours; all of train where it has fewer.
        temperature: above 0.

    Returns:
        Predicted labels int64 [M].
    """
    return knn_scores(train_x, train_y, test_x, k=k, temperature=temperature).argmax(1)
