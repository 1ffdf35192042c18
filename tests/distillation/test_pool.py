"""Generated images that serve in several steps."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from squeezespan.config import DistillConfig
from squeezespan.distillation.pool import Pool, pool_steps
from squeezespan.distillation.prepare import open_stream, prepare
from squeezespan.distillation.speed import measure_step
from squeezespan.distillation.stream import Place
from squeezespan.methods.base import Batch

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def reusing(config: DistillConfig) -> DistillConfig:
    return replace(config, source=replace(config.source, reuse=3))


def source(batch: Batch) -> Tensor:
    assert batch.source is not None
    return torch.cat(list(batch.source.values()), dim=1)


def view(batch: Batch) -> Tensor:
    assert batch.synthetic_views is not None
    return batch.synthetic_views[0]


def test_images_come_again_in_other_views_as_often_as_asked_and_then_no_more(
    reusing: DistillConfig,
) -> None:
    stream = open_stream(reusing, prepare(reusing, CPU), Place(0, 1, CPU))
    assert stream.pool is not None
    held = stream.pool.steps
    first, second, third, other = (stream.batch(step) for step in (0, held, 2 * held, 3 * held))
    assert torch.equal(source(first), source(second))
    assert torch.equal(source(first), source(third))
    assert not torch.equal(view(first), view(second))
    assert not torch.equal(source(first), source(other))
    assert not torch.equal(source(first), source(stream.batch(1)))


def test_a_run_that_goes_on_within_a_period_gets_the_same_images(reusing: DistillConfig) -> None:
    parts = prepare(reusing, CPU)
    before = open_stream(reusing, parts, Place(0, 1, CPU))
    assert before.pool is not None
    step = before.pool.steps + 2
    for earlier in (0, 2, step - 1):
        before.batch(earlier)
    again = open_stream(reusing, parts, Place(0, 1, CPU))
    assert torch.equal(view(before.batch(step)), view(again.batch(step)))
    assert torch.equal(source(before.batch(step)), source(again.batch(step)))


def test_the_images_are_those_of_a_run_without_reuse_to_8_bits(
    config: DistillConfig, reusing: DistillConfig
) -> None:
    plain = replace(config.augment, enabled=False)
    one, other = (replace(each, augment=plain) for each in (config, reusing))
    parts = prepare(one, CPU)
    new = open_stream(one, parts, Place(0, 1, CPU)).batch(2)
    held = open_stream(other, parts, Place(0, 1, CPU)).batch(2)
    assert torch.equal(source(new), source(held))
    deviation = min(parts.normalization.std)
    gap = (view(new) - view(held)).abs().max()
    assert 0 < gap <= 0.5 / 255 / deviation * 1.01


def test_every_batch_of_a_period_serves_equally_often() -> None:
    pool = Pool(steps=4, reuse=3)
    numbers = [pool.number(step) for step in range(24)]
    assert numbers == [0, 1, 2, 3] * 3 + [4, 5, 6, 7] * 3


def test_a_pool_holds_a_gigabyte_of_pixels_at_most() -> None:
    assert pool_steps(64, 32) == 64
    assert pool_steps(256, 256) == 21
    assert pool_steps(512, 1024) == 1


def test_the_speed_that_is_foretold_counts_the_steps_that_draw_nothing(
    config: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([1.0, 0.6])
    monkeypatch.setattr("squeezespan.distillation.speed._step_seconds", lambda *_: next(seconds))
    four = replace(config, source=replace(config.source, reuse=4))
    assert measure_step(four, prepare(four, CPU)).step == pytest.approx(0.7)
