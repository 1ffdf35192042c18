"""Distances against torch-fidelity, closed forms and brute force."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from squeezespan.errors import UserError
from squeezespan.gan.scoring.distances import (
    frechet_distance,
    kernel_distance,
    kernel_interval,
    precision_recall,
)
from squeezespan.gan.scoring.statistics import summarize
from squeezespan.randomness import derive_seed


def _features(n: int, dim: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dim, dim, generator=random, dtype=torch.float64)
    return torch.randn(n, dim, generator=random, dtype=torch.float64) @ mixing + 10 * seed


def _frechet(a: Tensor, b: Tensor) -> float:
    a_stats, b_stats = summarize(torch.split(a, 7)), summarize(torch.split(b, 64))
    return frechet_distance(a_stats.mean, a_stats.covariance, b_stats.mean, b_stats.covariance)


@pytest.mark.parametrize("n", [12, 400])
def test_frechet_distance_is_torch_fidelitys(n: int) -> None:
    """12 samples of 20 features: singular covariances."""
    a, b = _features(n, 20, 1), _features(n + 5, 20, 2)
    statistics = [fid_features_to_statistics(x) for x in (a, b)]
    expected = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert _frechet(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_axis_aligned_gaussians() -> None:
    mean_a, mean_b = torch.tensor([0.0, 1.0]), torch.tensor([3.0, 5.0])
    std_a, std_b = torch.tensor([1.0, 2.0]), torch.tensor([4.0, 0.5])
    distance = frechet_distance(mean_a, std_a.square().diag(), mean_b, std_b.square().diag())
    assert distance == pytest.approx(9 + 16 + 9 + 2.25)


def test_statistics_are_numpys() -> None:
    features = _features(50, 6, 100)
    statistics = summarize(torch.split(features, 8))
    np.testing.assert_allclose(statistics.mean, features.numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(features.numpy().T), rtol=1e-9)
    assert statistics.count == 50


def test_kernel_distance_is_torch_fidelitys() -> None:
    """With one subset of all samples there is nothing random left."""
    a, b = _features(80, 16, 0), _features(80, 16, 0) * 1.3 + 0.2
    theirs = kid_features_to_metric(
        a, b, kid_subsets=1, kid_subset_size=80, verbose=False, rng_seed=0
    )
    ours = kernel_distance(a, b, subsets=1, subset_size=80)
    assert ours.mean == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)


def _unbiased(x: Tensor, y: Tensor) -> float:
    """Gretton et al. 2012, equation 3, with the kernel (x.y / D + 1)^3."""

    def mean(a: Tensor, b: Tensor, *, apart: bool) -> float:
        values = [
            (float(one @ other) / x.shape[1] + 1) ** 3
            for i, one in enumerate(a)
            for j, other in enumerate(b)
            if i != j or not apart
        ]
        return sum(values) / len(values)

    return mean(x, x, apart=True) + mean(y, y, apart=True) - 2 * mean(x, y, apart=False)


@pytest.mark.parametrize(("size", "used"), [(12, 12), (40, 20), (2, 2)])
def test_kernel_distance_is_that_of_random_subsets(size: int, used: int) -> None:
    few, many = _features(20, 4, 0), _features(25, 4, 0) * 1.3 + 0.2
    for a, b in ((few, many), (many, few)):
        random = torch.Generator().manual_seed(derive_seed(3, "kernel-distance"))
        drawn = []
        for _ in range(4):
            x, y = (z[torch.randperm(len(z), generator=random)[:used]] for z in (a, b))
            drawn.append(_unbiased(x, y))
        found = kernel_distance(a, b, subsets=4, subset_size=size, seed=3)
        assert found.mean == pytest.approx(np.mean(drawn), rel=1e-4)
        assert found.std == pytest.approx(np.std(drawn), rel=1e-4)


def test_kernel_distance_takes_a_hundred_subsets_of_a_thousand() -> None:
    a, b = _features(20, 3, 0), _features(25, 3, 0) * 1.3
    assert kernel_distance(a, b) == kernel_distance(a, b, subsets=100, seed=0)
    assert kernel_distance(a, b) != kernel_distance(a, b, subsets=101)
    many, more = _features(1001, 2, 0), _features(1002, 2, 0) * 1.3
    found = kernel_distance(many, more, subsets=1)
    assert found == kernel_distance(many, more, subsets=1, subset_size=1000)
    assert found != kernel_distance(many, more, subsets=1, subset_size=1001)


def test_kernel_distance_is_deterministic_for_a_seed() -> None:
    a, b = _features(60, 8, 0), _features(70, 8, 1)
    first = kernel_distance(a, b, subsets=5, subset_size=20, seed=3)
    assert first == kernel_distance(a, b, subsets=5, subset_size=20, seed=3)
    assert first != kernel_distance(a, b, subsets=5, subset_size=20, seed=4)


@pytest.mark.parametrize("neighbors", [1, 3])
def test_precision_recall_is_the_definition(neighbors: int) -> None:
    real, generated = _features(45, 5, 0), _features(38, 5, 0) * 0.7
    between = [[float((r - g).norm()) for g in generated] for r in real]
    real_radii = [sorted(float((a - b).norm()) for b in real)[neighbors] for a in real]
    generated_radii = [
        sorted(float((a - b).norm()) for b in generated)[neighbors] for a in generated
    ]
    precise = [any(between[i][j] <= real_radii[i] for i in range(45)) for j in range(38)]
    recalled = [any(between[i][j] <= generated_radii[j] for j in range(38)) for i in range(45)]
    result = precision_recall(real, generated, neighbors=neighbors, chunk=10)
    assert result.precision == pytest.approx(sum(precise) / 38)
    assert result.recall == pytest.approx(sum(recalled) / 45)
    for scale, offset in ((0.01, 0.0), (1.0, torch.tensor([3e4, -3e4, 0.0, 0.0, 0.0]))):
        moved = (scale * x + offset for x in (real, generated))
        assert precision_recall(*moved, neighbors=neighbors) == result


def test_a_sample_at_the_edge_of_a_ball_is_inside() -> None:
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    edges = torch.tensor([[-1.0], [4.0]])
    assert precision_recall(real, edges, neighbors=1).precision == 1


def test_one_mode_of_two_is_precise_but_not_recalled() -> None:
    mode = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    result = precision_recall(torch.cat([mode[:100], mode[100:] + 50]), mode[:50])
    assert result.precision == 1
    assert result.recall < 0.5


def test_three_neighbours_are_the_default_and_four_samples_enough() -> None:
    real, generated = _features(45, 5, 0), _features(38, 5, 0) * 0.7
    found = precision_recall(real, generated)
    assert found == precision_recall(real, generated, neighbors=3)
    assert found != precision_recall(real, generated, neighbors=4)
    assert precision_recall(real[:4], real[:4]) == (1.0, 1.0)


def test_too_few_samples() -> None:
    with pytest.raises(UserError, match="more than 3 images"):
        precision_recall(torch.randn(3, 2), torch.randn(9, 2))
    with pytest.raises(UserError, match="at least 2 images"):
        kernel_distance(torch.randn(1, 2), torch.randn(9, 2))
    with pytest.raises(UserError, match="at least 2 images"):
        summarize([torch.randn(1, 4)])


def test_the_kernel_interval_is_the_unbiased_distance_and_its_spread() -> None:
    """Against a double loop, and the asymptotic variance of a U-statistic (Hoeffding 1948)."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(300, 6, generator=random)
    y = torch.randn(260, 6, generator=random) * 1.2 + 0.4

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((a.double() @ b.double().T) / 6 + 1) ** 3

    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    n, m = len(x), len(y)
    others = sum(float(xx[i, j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    others += sum(float(yy[i, j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    expected = others - 2 * float(xy.mean())
    of_x, of_y = xx.mean(1) - xy.mean(1), yy.mean(1) - xy.mean(0)
    spread = float((4 * of_x.var() / n + 4 * of_y.var() / m).sqrt())
    found = kernel_interval(x, y, draws=2000, chunk=70)
    assert found.distance == pytest.approx(expected, rel=1e-4)
    assert found.low < expected < found.high
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(spread, rel=0.12)


def test_the_kernel_interval_is_that_of_its_draws() -> None:
    x, y = _features(5, 4, 0), _features(7, 4, 0) * 1.3 + 0.2
    random = torch.Generator().manual_seed(derive_seed(5, "kernel-interval"))
    rows, others = (torch.randint(n, (12, n), generator=random).tolist() for n in (5, 7))

    def mean(a: Tensor, b: Tensor, first: list[int], second: list[int], *, apart: bool) -> float:
        """A pair of two copies of one sample is left out."""
        values = [
            (float(a[i] @ b[j]) / 4 + 1) ** 3 for i in first for j in second if not apart or i != j
        ]
        return sum(values) / len(values)

    drawn = [
        mean(x, x, u, u, apart=True)
        + mean(y, y, v, v, apart=True)
        - 2 * mean(x, y, u, v, apart=False)
        for u, v in zip(rows, others, strict=True)
    ]
    found = kernel_interval(x, y, draws=12, seed=5)
    assert found.distance == pytest.approx(_unbiased(x, y), rel=1e-4)
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), rel=1e-4)


def test_two_hundred_draws_are_the_default_and_two_images_enough() -> None:
    x, y = _features(9, 4, 0), _features(7, 4, 0) * 1.3
    assert kernel_interval(x, y) == kernel_interval(x, y, draws=200, seed=0)
    assert kernel_interval(x, y) != kernel_interval(x, y, draws=201)
    assert kernel_interval(x, y) != kernel_interval(x, y, seed=1)
    found = kernel_interval(x[:2], y[:2])
    assert found.distance == pytest.approx(_unbiased(x[:2], y[:2]), rel=1e-4)
    assert found.low <= found.high


def test_the_kernel_interval_covers_the_truth() -> None:
    """Two samples of one distribution are at a distance of 0."""
    random = torch.Generator().manual_seed(1)
    inside = 0
    for _ in range(40):
        x, y = torch.randn(2, 150, 4, generator=random)
        found = kernel_interval(x, y, draws=100)
        inside += found.low <= 0 <= found.high
    assert inside >= 34


def test_one_image_has_no_kernel_interval() -> None:
    with pytest.raises(UserError, match="at least 2 images"):
        kernel_interval(torch.zeros(1, 4), torch.zeros(5, 4))
