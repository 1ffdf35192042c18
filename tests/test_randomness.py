"""Draws depend on seed, step, stream and place in the batch, and on nothing else."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from squeezespan.randomness import StepRandom, derive_seed

Draw = Callable[[StepRandom, int], Tensor]

_DRAWS: list[Draw] = [
    lambda random, n: random.normal(n, 3, 2),
    lambda random, n: random.uniform(n, 3, low=-2.0, high=5.0),
    lambda random, n: random.integers(n, 4, high=7),
]


@pytest.mark.parametrize("draw", _DRAWS)
@pytest.mark.parametrize("world_size", [2, 4])
def test_processes_share_the_draws_of_the_undivided_batch(draw: Draw, world_size: int) -> None:
    n = 8 // world_size
    parts = []
    for rank in range(world_size):
        random = StepRandom(3, 11, stream="latents", rank=rank, world_size=world_size)
        parts.append([draw(random, n), draw(random, n)])
    whole = StepRandom(3, 11, stream="latents")
    for parts_of_draw in zip(*parts, strict=True):
        assert torch.equal(torch.cat(parts_of_draw), draw(whole, 8))


@pytest.mark.parametrize("draw", _DRAWS)
def test_same_place_gives_the_same_numbers_whatever_was_drawn_elsewhere(draw: Draw) -> None:
    first = draw(StepRandom(3, 11, stream="a"), 5)
    torch.manual_seed(99)
    torch.randn(7)
    assert torch.equal(first, draw(StepRandom(3, 11, stream="a"), 5))


def test_draws_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    StepRandom(0).normal(4)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("other", [(4, 11, "a"), (3, 12, "a"), (3, 11, "b")])
def test_another_seed_step_or_stream_gives_other_numbers(other: tuple[int, int, str]) -> None:
    seed, step, stream = other
    ours = StepRandom(3, 11, stream="a").normal(100)
    assert not torch.equal(ours, StepRandom(seed, step, stream=stream).normal(100))


@given(st.floats(-100, 100), st.floats(0.5, 50))
def test_uniform_numbers_stay_in_their_range(low: float, width: float) -> None:
    drawn = StepRandom(1).uniform(200, low=low, high=low + width)
    assert drawn.dtype == torch.float32
    assert float(drawn.min()) >= torch.tensor(low)
    assert float(drawn.max()) <= torch.tensor(low + width)


def test_integers_reach_every_value_and_no_other() -> None:
    drawn = StepRandom(1).integers(500, high=6)
    assert drawn.dtype == torch.int64
    assert set(drawn.tolist()) == set(range(6))


def test_normal_numbers_have_mean_0_and_deviation_1() -> None:
    drawn = StepRandom(1).normal(20000)
    assert abs(float(drawn.mean())) < 0.03
    assert abs(float(drawn.std()) - 1) < 0.03


@given(st.lists(st.one_of(st.integers(), st.text(max_size=5)), min_size=1, max_size=4))
def test_seeds_fit_torch_and_repeat(parts: list[int | str]) -> None:
    seed = derive_seed(*parts)
    assert 0 <= seed < 2**63
    assert seed == derive_seed(*parts)


def test_seed_depends_on_the_order_and_division_of_its_parts() -> None:
    seeds = {derive_seed(1, 23), derive_seed(12, 3), derive_seed(23, 1), derive_seed(123)}
    assert len(seeds) == 4
