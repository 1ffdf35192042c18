"""Clusters of features: what is found, what becomes of small ones, and that they are kept."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.gan.clusters import Clusters, k_means, keep_clusters, kept_clusters


def blobs(*sizes: int) -> tuple[Tensor, Tensor]:
    """Groups of samples around directions at right angles, in random order, of any length."""
    random = torch.Generator().manual_seed(0)
    group = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    group = group[torch.randperm(len(group), generator=random)]
    points = torch.eye(len(sizes), 8)[group] + 0.02 * torch.randn(len(group), 8, generator=random)
    return points * (0.1 + 9 * torch.rand(len(group), 1, generator=random)), group


def agrees(assigned: Tensor, group: Tensor) -> bool:
    """Whether two assignments are one but for the numbers."""
    pairs = set(zip(assigned.tolist(), group.tolist(), strict=True))
    return len(pairs) == len(set(assigned.tolist())) == len(set(group.tolist()))


def test_groups_of_directions_are_found_whatever_the_lengths() -> None:
    features, group = blobs(40, 25, 30, 60)
    assert agrees(k_means(features, 4, 1, seed=0), group)


def test_equal_arguments_give_equal_clusters_and_the_seed_counts() -> None:
    features = torch.randn(300, 8, generator=torch.Generator().manual_seed(1))
    first, again, other = (k_means(features, 12, 1, seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_samples_of_small_clusters_join_the_nearest_centre_left() -> None:
    features, group = blobs(40, 5, 30)
    # The small group lies beside the third one, not beside the first.
    features[group == 1] += 3 * torch.eye(8)[2] * features[group == 1].norm(dim=1, keepdim=True)
    assert sorted(k_means(features, 3, 5, seed=0).bincount().tolist()) == [5, 30, 40]
    merged = k_means(features, 3, 6, seed=0)
    assert agrees(merged, torch.where(group == 1, 2, group))
    assert sorted(merged.bincount().tolist()) == [35, 40]


def test_clusters_without_samples_are_none() -> None:
    features = torch.eye(3, 8).repeat(10, 1)
    assert agrees(k_means(features, 7, 1, seed=0), torch.arange(3).repeat(10))


def test_where_all_are_small_one_is_left() -> None:
    features, _ = blobs(4, 5, 6)
    assert k_means(features, 3, 16, seed=0).tolist() == [0] * 15


def test_centres_of_a_part_serve_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    features, group = blobs(100, 100, 100)
    monkeypatch.setattr("squeezespan.gan.clusters._MOST_FITTED", 60)
    assert agrees(k_means(features, 3, 1, seed=0), group)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "clusters.safetensors"
    assert kept_clusters(path) is None
    clusters = Clusters(torch.tensor([1, 0, 1]), {"backbone": "run", "count": 2}, ["a"], "hash")
    keep_clusters(path, clusters)
    found = kept_clusters(path)
    assert found is not None
    assert torch.equal(found.assigned, clusters.assigned)
    assert found[1:] == clusters[1:]
    assert found.sha256 == clusters.sha256
    assert found.sha256 != clusters._replace(assigned=torch.tensor([0, 0, 1])).sha256
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"clusters\.safetensors"):
        kept_clusters(path)
