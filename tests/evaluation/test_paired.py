"""Differences of classifiers tested on the same images."""

import pytest
import torch
from scipy import stats

from squeezespan.evaluation.paired import nested_interval, paired_difference


def test_difference_of_two_classifiers_by_hand() -> None:
    correct = torch.tensor([1] * 60 + [0] * 40).bool()
    other = torch.tensor([1] * 50 + [0] * 10 + [1] * 4 + [0] * 36).bool()
    difference, (low, high) = paired_difference(correct, other)
    assert difference == pytest.approx(0.06)
    half = 1.959964 * (14 - 36 / 100) ** 0.5 / 100
    assert (low, high) == pytest.approx((0.06 - half, 0.06 + half))


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    random = torch.Generator().manual_seed(0)
    covered = 0
    for _ in range(400):
        shared = torch.rand(500, generator=random)
        correct = shared + 0.2 * torch.rand(500, generator=random) > 0.55
        other = shared + 0.2 * torch.rand(500, generator=random) > 0.60
        _, (low, high) = paired_difference(correct, other)
        covered += low <= 0.05 <= high
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize(("seeds", "spread"), [(2, 0.0), (3, 0.02), (5, 0.02)])
def test_nested_interval_covers_the_truth_over_seeds_and_images(seeds: int, spread: float) -> None:
    random = torch.Generator().manual_seed(0)
    covered = 0
    for _ in range(300):
        by_seed = spread * torch.randn(seeds, 1, generator=random)
        by_image = 0.3 * torch.randn(1, 300, generator=random)
        rest = 0.3 * torch.randn(seeds, 300, generator=random)
        low, high = nested_interval(0.1 + by_seed + by_image + rest)
        covered += low <= 0.1 <= high
    assert 0.92 <= covered / 300 <= 1.0


@pytest.mark.parametrize(
    "table",
    [
        # Seeds that differ by more than their images' interplay explains, and by less.
        [[0.9, 0.2, 0.4, 0.7], [0.5, 0.1, 0.2, 0.6], [0.1, 0.0, 0.3, 0.2]],
        [[1.0, 0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0, 0.0]],
    ],
)
def test_the_nested_interval_is_that_of_the_analysis_of_variance(table: list[list[float]]) -> None:
    """By sums of squares of a table of two factors, in plain numbers, and SciPy's quantiles."""
    seeds, images = len(table), len(table[0])
    mean = sum(map(sum, table)) / (seeds * images)
    of_seeds = [sum(row) / images for row in table]
    of_images = [sum(column) / seeds for column in zip(*table, strict=True)]
    whole = sum((x - mean) ** 2 for row in table for x in row)
    sum_seeds = images * sum((x - mean) ** 2 for x in of_seeds)
    sum_images = seeds * sum((x - mean) ** 2 for x in of_images)
    free_seeds, free_images = seeds - 1, images - 1
    both = (whole - sum_seeds - sum_images) / (free_seeds * free_images)
    by_seed, by_image = max(sum_seeds / free_seeds, both), sum_images / free_images
    total = by_seed + by_image - both
    freedom = total**2 / (
        by_seed**2 / free_seeds + by_image**2 / free_images + both**2 / (free_seeds * free_images)
    )
    half = stats.t.ppf(0.975, freedom) * (total / (seeds * images)) ** 0.5
    found = nested_interval(torch.tensor(table, dtype=torch.float64))
    assert found == pytest.approx((mean - half, mean + half), rel=1e-9)


def test_one_seed_and_few_images_have_students_interval() -> None:
    values = [0.5, 0.1, -0.2, 0.6]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = nested_interval(torch.tensor([values], dtype=torch.float64))
    assert found == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_one_seed_is_the_paired_interval() -> None:
    random = torch.Generator().manual_seed(0)
    correct, other = torch.rand(2, 1000, generator=random) > 0.4
    gaps = (correct.double() - other.double())[None]
    _, expected = paired_difference(correct, other)
    assert nested_interval(gaps) == pytest.approx(expected, abs=1e-4)


def test_seeds_that_agree_on_everything_have_no_spread() -> None:
    assert nested_interval(torch.full((3, 10), 0.5)) == (0.5, 0.5)
