"""Features laid out on a plane, and figures of how well they keep classes apart."""

import importlib.util

import pytest
import torch
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


def test_a_silhouette_tells_clusters_from_overlap() -> None:
    tight, loose = (silhouette(*clusters(200, spread)) for spread in (0.1, 20.0))
    assert tight is not None
    assert loose is not None
    assert tight > 0.95
    assert abs(loose) < 0.1


def test_one_class_has_no_silhouette() -> None:
    assert silhouette(torch.randn(9, 4), torch.zeros(9, dtype=torch.int64)) is None
