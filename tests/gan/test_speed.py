"""What a dry run says a GAN training takes."""

import dataclasses
import itertools
from collections.abc import Callable

import pytest
import torch
from tiny_gans import tiny_gan
from torch import Tensor

from squeezespan.data.images import ResidentImages
from squeezespan.gan import speed
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.speed import measure_speed
from squeezespan.gan.step import GanStep


def measured(
    config: GanTrainConfig, monkeypatch: pytest.MonkeyPatch, cost: Callable[[int, int], float]
) -> tuple[speed.GanSpeed, list[int]]:
    """Measure with a clock that a step of some images moves on; gives the batches, too."""
    now, batches = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    gan = GanStep(config, 0, torch.device("cpu"), torch.float32)
    share = gan.share

    def run(step: int, real: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        assert labels is None
        batches.append(len(real))
        now[0] += cost(step, len(real))
        return {"loss/discriminator": torch.zeros([])}

    monkeypatch.setattr(gan, "run", run)
    images = ResidentImages("test", [], None, torch.zeros(40, 3, 16, 16, dtype=torch.uint8))
    found = measure_speed(config, gan, images)
    assert (gan.config, gan.share) == (config, share)
    return found, batches


def lazy(batch_size: int, group: int | None = 2) -> GanTrainConfig:
    config = tiny_gan("folder:nowhere", batch_size=batch_size)
    return dataclasses.replace(
        config,
        loss=dataclasses.replace(config.loss, r1_interval=4, path_length_interval=2),
        discriminator=dataclasses.replace(config.discriminator, mbstd_group_size=group),
    )


def test_lazy_terms_count_as_often_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is 1 s, path lengths every second one 2 s more, R1 every fourth one 4 s more."""
    found, batches = measured(
        lazy(8), monkeypatch, lambda step, _: 1 + 2 * (step % 2 == 0) + 4 * (step % 4 == 0)
    )
    assert found.seconds_per_kimg == pytest.approx((1 + 2 / 2 + 4 / 4) / 8 * 1000)
    assert found.memory is not None
    assert found.memory > 1e8
    assert batches == [4, *[8] * 7]


@pytest.mark.parametrize(("group", "few"), [(None, 4), (1, 4), (3, 3), (8, 4)])
def test_of_batches_that_take_too_long_a_few_images_are_measured(
    group: int | None, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, batches = measured(lazy(24, group), monkeypatch, lambda _, images: 1.0 * images)
    assert found == (1000.0, None)
    assert set(batches) == {few}


def test_the_generator_learns_in_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    config = lazy(8)
    init = dataclasses.replace(config.init, warmup_kimg=0.1)
    steps: list[int] = []

    def cost(step: int, images: int) -> float:
        steps.append(step * images)
        return 1.0

    measured(dataclasses.replace(config, init=init), monkeypatch, cost)
    assert all(seen >= 100 for seen in steps)
    assert {a == b for a, b in itertools.pairwise(steps)} == {True, False}
