"""Orders and splits are permutations and partitions that depend on their seed alone."""

import pytest
import torch

from squeezespan.data.order import draw_some, epoch_order, split_holdout
from squeezespan.errors import UserError


def test_epochs_have_orders_of_their_own() -> None:
    first = epoch_order(100, 0, 1)
    assert first.sort().values.tolist() == list(range(100))
    assert torch.equal(first, epoch_order(100, 0, 1))
    assert not torch.equal(first, epoch_order(100, 1, 1))
    assert not torch.equal(first, epoch_order(100, 0, 2))


def test_order_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    epoch_order(10, 0, 0)
    assert torch.equal(torch.rand(1), expected)


def test_holdout_takes_its_share_of_every_class() -> None:
    labels = torch.tensor([0] * 100 + [1] * 50 + [2] * 3 + [3])
    train, held_out = split_holdout(154, 0.1, 0, labels)
    assert torch.cat([train, held_out]).sort().values.tolist() == list(range(154))
    assert labels[held_out].bincount().tolist() == [10, 5, 1]
    assert 153 in train.tolist()
    assert train.tolist() == sorted(train.tolist())


def test_holdout_depends_on_the_seed_alone() -> None:
    labels = torch.arange(100) % 4
    _, first = split_holdout(100, 0.2, 5, labels)
    assert torch.equal(first, split_holdout(100, 0.2, 5, labels)[1])
    assert not torch.equal(first, split_holdout(100, 0.2, 6, labels)[1])


def test_holdout_of_unlabelled_images() -> None:
    train, held_out = split_holdout(10, 0.25, 0, None)
    assert (len(train), len(held_out)) == (8, 2)
    assert len(split_holdout(10, 0.0, 0, None)[1]) == 0


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_impossible_shares(fraction: float) -> None:
    with pytest.raises(UserError, match="share"):
        split_holdout(10, fraction, 0, None)


def test_more_images_contain_fewer() -> None:
    some, more, all_of_them = (set(draw_some(100, count, 0).tolist()) for count in (10, 40, 200))
    assert len(some) == 10
    assert some < more < all_of_them
    assert all_of_them == set(range(100))
    assert draw_some(100, 10, 1).tolist() != draw_some(100, 10, 0).tolist()
