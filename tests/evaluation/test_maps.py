"""Features laid out on a plane, and figures of how well they keep classes apart."""

import importlib.util
import warnings

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.evaluation.analysis_options import MapMethod
from squeezespan.evaluation.maps import lay_out, neighbor_hits, silhouette


def clusters(n: int = 90, spread: float = 1.0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    centers = torch.randn(3, 16, generator=random) * 5
    labels = torch.randint(3, (n,), generator=random)
    return centers[labels] + spread * torch.randn(n, 16, generator=random), labels


def are_together(places: Tensor, labels: Tensor) -> bool:
    """Whether the nearest point of every point is of its class."""
    distances = torch.cdist(places, places) + torch.eye(len(places)) * 1e9
    return places.shape == (len(labels), 2) and bool((labels[distances.argmin(1)] == labels).all())


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_clusters_stay_together_and_equal_seeds_give_equal_maps(method: MapMethod) -> None:
    features, labels = clusters()
    places = lay_out(features, method, seed=1)
    assert torch.equal(places, lay_out(features, method, seed=1))
    assert are_together(places, labels)


def test_umap_keeps_clusters_together() -> None:
    pytest.importorskip("umap", reason="needs umap-learn, the extra `maps`")
    features, labels = clusters()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert are_together(lay_out(features, "umap"), labels)
        # Another number would change what is computed afterwards in its last bits.
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


def noise(n: int) -> tuple[Tensor, NDArray[np.float32]]:
    """Features so wide that the PCA draws random numbers, and the same at unit length."""
    features = 3 * torch.randn(n, 600, generator=torch.Generator().manual_seed(n))
    return features, (features / features.norm(dim=1, keepdim=True)).numpy()


def test_a_projection_is_scikit_learns() -> None:
    features, unit = noise(100)
    expected = PCA(2, random_state=3).fit_transform(unit)
    assert np.array_equal(lay_out(features, "pca", seed=3).numpy(), expected)


@pytest.mark.parametrize(("n", "perplexity", "seed"), [(100, 30.0, 3), (70, 23.0, 0)])
def test_a_map_by_tsne_is_scikit_learns(n: int, perplexity: float, seed: int) -> None:
    features, unit = noise(n)
    reduced = PCA(50, random_state=seed).fit_transform(unit)
    tsne = TSNE(perplexity=perplexity, init="pca", max_iter=750, random_state=seed)
    found = lay_out(features, seed=seed) if seed else lay_out(features)
    assert np.array_equal(found.numpy(), tsne.fit_transform(reduced))


def test_a_map_by_umap_is_the_packages() -> None:
    umap = pytest.importorskip("umap", reason="needs umap-learn, the extra `maps`")
    features, unit = noise(60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reducer = umap.UMAP(n_neighbors=15, metric="cosine", random_state=3, n_jobs=1)
        threads = torch.get_num_threads()
        expected = reducer.fit_transform(unit)
        torch.set_num_threads(threads)
    assert np.array_equal(lay_out(features, "umap", seed=3).numpy(), expected)
    assert lay_out(features[:10], "umap").isfinite().all()


def test_few_images_have_a_map() -> None:
    assert lay_out(torch.randn(8, 4)).isfinite().all()


def test_umap_without_its_package_is_refused_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'squeezespan\[maps\]', or give --method pca"):
        lay_out(torch.randn(8, 4), "umap")


def test_neighbours_of_clusters_are_right_and_of_noise_guess() -> None:
    features, labels = clusters(600)
    assert neighbor_hits(features, labels).all()
    assert len(neighbor_hits(features, labels)) == 300
    noise = torch.randn(600, 16, generator=torch.Generator().manual_seed(1))
    assert 0.23 < float(neighbor_hits(noise, labels).float().mean()) < 0.44


def test_twenty_neighbours_vote() -> None:
    """Ten of either class, those of class 0 a little nearer; an eleventh of class 1 has no say."""
    first = torch.tensor([[1.0, 0.0]] * 10 + [[1.0, 0.01]] * 10 + [[1.0, 0.02]])
    classes = torch.tensor([0] * 10 + [1] * 11)
    features = torch.cat([first, torch.tensor([[2.0, 0.0]] * 21)])
    hits = neighbor_hits(features, torch.cat([classes, torch.tensor([0] * 20 + [1])]))
    assert hits.tolist() == [True] * 20 + [False]


def test_a_silhouette_is_of_directions_and_needs_classes_of_several() -> None:
    features = torch.tensor([[1.0, 0.0], [5.0, 0.0], [0.0, 1.0], [0.0, 7.0]])
    assert silhouette(features, torch.tensor([0, 0, 1, 1])) == pytest.approx(1)
    assert silhouette(features, torch.tensor([0, 1, 2, 3])) is None


def test_a_silhouette_tells_clusters_from_overlap() -> None:
    tight, loose = (silhouette(*clusters(200, spread)) for spread in (0.1, 20.0))
    assert tight is not None
    assert loose is not None
    assert tight > 0.95
    assert abs(loose) < 0.1


def test_one_class_has_no_silhouette() -> None:
    assert silhouette(torch.randn(9, 4), torch.zeros(9, dtype=torch.int64)) is None
