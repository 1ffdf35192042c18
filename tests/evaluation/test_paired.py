"""Differences of classifiers tested on the same images."""

import pytest
import torch

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


def test_one_seed_is_the_paired_interval() -> None:
    random = torch.Generator().manual_seed(0)
    correct, other = torch.rand(2, 1000, generator=random) > 0.4
    gaps = (correct.double() - other.double())[None]
    _, expected = paired_difference(correct, other)
    assert nested_interval(gaps) == pytest.approx(expected, abs=1e-4)


def test_seeds_that_agree_on_everything_have_no_spread() -> None:
    assert nested_interval(torch.full((3, 10), 0.5)) == (0.5, 0.5)
