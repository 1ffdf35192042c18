"""Claims held against figures and their intervals."""

import json

import pytest
import torch

from squeezespan.evaluation.claims import Claim, interval_of, judge, share_of_pairs


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
    share, shares = share_of_pairs(similarity, draws, [0, 1, 2], above=0.85)
    assert share == pytest.approx(1 / 3)
    assert shares.tolist() == pytest.approx([1 / 3, 1.0])


def test_what_lies_on_the_bound_is_neither_below_nor_above() -> None:
    similarity = torch.full((2, 2), 0.5)
    other = torch.zeros(1, 2, 2)
    share, shares = share_of_pairs(similarity, other, [0, 1], below=0.5)
    assert (share, shares.tolist()) == (0.0, [1.0])
    share, shares = share_of_pairs(similarity, other, [0, 1], above=0.5)
    assert (share, shares.tolist()) == (0.0, [0.0])


def test_a_claim_is_written_with_its_verdict() -> None:
    claim = Claim("most lie low", "share below 0.8", 0.7, (0.6, 0.75), 0.5, "most is over half")
    assert json.loads(json.dumps(claim.to_dict())) == {
        "claim": "most lie low",
        "measured": "share below 0.8",
        "value": 0.7,
        "interval": [0.6, 0.75],
        "holds_above": 0.5,
        "reading": "most is over half",
        "verdict": "held",
    }


def test_the_interval_leaves_out_the_outer_twentieth() -> None:
    assert interval_of(torch.arange(1001, dtype=torch.float64)) == pytest.approx((25.0, 975.0))
