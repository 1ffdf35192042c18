"""Features laid out on a plane."""

import torch

from squeezespan.reports.feature_map import feature_map


def test_clusters_stay_together_and_equal_seeds_give_equal_maps() -> None:
    random = torch.Generator().manual_seed(0)
    centers = torch.randn(3, 16, generator=random) * 5
    labels = torch.arange(90) % 3
    features = centers[labels] + torch.randn(90, 16, generator=random)
    places = feature_map(features, seed=1)
    assert places.shape == (90, 2)
    assert torch.equal(places, feature_map(features, seed=1))
    distances = torch.cdist(places, places) + torch.eye(90) * 1e9
    assert (labels[distances.argmin(1)] == labels).all()


def test_few_images_have_a_map() -> None:
    assert feature_map(torch.randn(8, 4)).isfinite().all()
