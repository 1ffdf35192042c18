"""Features laid out on a plane, and how well they keep classes apart where they are."""

import importlib.util
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, from_numpy
from torch.nn import functional as F

from squeezespan.errors import UserError
from squeezespan.evaluation.analysis_options import MapMethod
from squeezespan.evaluation.knn import knn_predict

__all__ = ["check_method", "lay_out", "neighbor_hits", "silhouette"]

_COMPONENTS = 50


def check_method(method: MapMethod) -> None:
    """Refuse UMAP where its package is not installed.

    Raises:
        UserError: it is not.
    """
    if method == "umap" and importlib.util.find_spec("umap") is None:
        raise UserError(
            "--method umap needs the package umap-learn: pip install 'squeezespan[maps]', or give "
            "--method pca or tsne"
        )


def lay_out(features: Tensor, method: MapMethod = "tsne", seed: int = 0) -> Tensor:
    """Lay features out on a plane.

    They are brought to unit length first, so that distances are those of the cosine that the kNN
    evaluation uses. UMAP (McInnes et al. 2018) and t-SNE (van der Maaten and Hinton 2008, after a
    PCA to 50 dimensions) keep near neighbours near; PCA is a projection.

    Args:
        features: float [N, D], N at least 5.
        method: which.
        seed: of solvers.

    Returns:
        float32 [N, 2]; but for PCA, directions and scale mean nothing.

    Raises:
        UserError: UMAP without its package.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    check_method(method)
    unit = F.normalize(features.float().cpu(), dim=1).numpy()
    if method == "pca":
        return from_numpy(PCA(2, random_state=seed).fit_transform(unit)).float()
    if method == "umap":
        return from_numpy(_umap(unit, seed)).float()
    components = min(_COMPONENTS, *unit.shape)
    reduced = PCA(components, random_state=seed).fit_transform(unit)
    perplexity = min(30.0, (len(unit) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", max_iter=750, random_state=seed)
    return from_numpy(tsne.fit_transform(reduced)).float()


def neighbor_hits(features: Tensor, labels: Tensor, k: int = 20) -> Tensor:
    """Tell which images of the second half their neighbours in the first half class rightly.

    The vote is that of the kNN evaluation (cosine, temperature 0.1), with fewer neighbours.

    Args:
        features: float [N, D], in an order that has nothing to do with the classes.
        labels: int64 [N].
        k: neighbours that vote.

    Returns:
        bool [N - N // 2].
    """
    half = len(features) // 2
    predicted = knn_predict(features[:half], labels[:half], features[half:], k=k)
    return predicted == labels[half:]


def silhouette(features: Tensor, labels: Tensor) -> float | None:
    """Give the mean silhouette of the classes by cosine distance (Rousseeuw 1987), -1 to 1.

    Args:
        features: float [N, D].
        labels: int64 [N].

    Returns:
        About 0 where classes overlap, 1 where each lies alone; None where there is one class
        only, or each image has one of its own.
    """
    from sklearn.metrics import silhouette_score

    if not 1 < len(set(labels.tolist())) < len(labels):
        return None
    return float(silhouette_score(features.cpu().numpy(), labels.cpu().numpy(), metric="cosine"))


def _umap(unit: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        # Of numba's, and of too few images for its spectral start or for 15 neighbours, which it
        # then does without.
        warnings.simplefilter("ignore")
        from umap import UMAP

        # One job: several don't give the same map twice.
        reducer = UMAP(metric="cosine", random_state=seed, n_jobs=1)
        threads = torch.get_num_threads()
        try:
            placed: NDArray[np.float32] = reducer.fit_transform(unit)
        finally:
            # numba sets the number of OpenMP's threads, which are torch's, too.
            torch.set_num_threads(threads)
        return placed
