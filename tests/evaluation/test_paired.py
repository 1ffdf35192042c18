"""Differences of classifiers tested on the same images."""

import pytest
import torch

from squeezespan.evaluation.paired import paired_difference


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
