"""Claims held against figures and their intervals."""

import pytest
import torch

from squeezespan.evaluation.claims import interval_of, judge, share_of_pairs


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.6, 0.7), "held"),
        ((0.1, 0.4), "not held"),
        ((0.4, 0.6), "undecided"),
        ((0.5, 0.9), "undecided"),
        ((0.2, 0.5), "undecided"),
    ],
)
def test_a_claim_holds_where_its_whole_interval_does(
    interval: tuple[float, float], verdict: str
) -> None:
    assert judge(interval, 0.5) == verdict


def test_shares_count_pairs_of_the_chosen_layers_and_leave_out_constant_ones() -> None:
    nan = float("nan")
    similarity = torch.tensor(
        [[1.0, 0.9, 0.3, nan], [0.9, 1.0, 0.7, nan], [0.3, 0.7, 1.0, nan], [nan] * 4]
    )
    draws = torch.stack([similarity, torch.ones(4, 4)])
    share, shares = share_of_pairs(similarity, draws, [0, 1, 2, 3], below=0.8)
    assert share == pytest.approx(2 / 3)
    assert shares.tolist() == pytest.approx([2 / 3, 0.0])
    share, _ = share_of_pairs(similarity, draws, [0, 1], above=0.85)
    assert share == 1.0


def test_the_interval_leaves_out_the_outer_twentieth() -> None:
    assert interval_of(torch.arange(1001, dtype=torch.float64)) == pytest.approx((25.0, 975.0))
