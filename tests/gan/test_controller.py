"""The controller of adaptive discriminator augmentation."""

import dataclasses

import pytest

from squeezespan.gan.ada import AdaptiveProbability
from squeezespan.gan.config import GanAugmentConfig

CONFIG = GanAugmentConfig(target=0.6, interval=2, speed_kimg=0.08, initial=0.3)
"""With 4 images a step p moves by 0.1 every other step."""


@pytest.mark.parametrize(
    ("signs", "expected"),
    [(4.0, 0.4), (-4.0, 0.2), (2.0, 0.2), (2.4, 0.2), (2.5, 0.4)],
)
def test_p_follows_the_discriminators_overconfidence(signs: float, expected: float) -> None:
    """It moves by the share of `speed_kimg` that an interval shows, up above the target alone."""
    controller = AdaptiveProbability.start(CONFIG)
    controller.observe(signs, 4)
    controller.adjust(0, 4)
    assert controller.p == 0.3
    controller.observe(signs, 4)
    controller.adjust(1, 4)
    assert controller.p == pytest.approx(expected)
    assert controller.overfitting == pytest.approx(signs / 4)


def test_an_interval_counts_its_own_signs() -> None:
    controller = AdaptiveProbability.start(CONFIG)
    controller.observe(3.0, 4)
    controller.observe(-1.0, 4)
    controller.adjust(1, 4)
    assert controller.overfitting == pytest.approx(2 / 8)
    controller.observe(4.0, 4)
    controller.adjust(3, 4)
    assert controller.overfitting == 1.0


def test_p_moves_after_every_third_step_where_that_is_the_interval() -> None:
    controller = AdaptiveProbability.start(dataclasses.replace(CONFIG, interval=3))
    moved = []
    for step in range(6):
        before = controller.p
        controller.observe(4.0, 4)
        controller.adjust(step, 4)
        moved.append(controller.p != before)
    assert moved == [False, False, True, False, False, True]


def test_p_stays_a_probability() -> None:
    fast = dataclasses.replace(CONFIG, speed_kimg=0.016)
    controller = AdaptiveProbability.start(fast)
    for step in (1, 3, 5):
        controller.observe(4.0, 4)
        controller.adjust(step, 4)
    assert controller.p == 1.0
    for step in (7, 9, 11):
        controller.observe(-4.0, 4)
        controller.adjust(step, 4)
    assert controller.p == 0.0


def test_nothing_observed_changes_nothing() -> None:
    controller = AdaptiveProbability.start(CONFIG)
    controller.adjust(1, 4)
    assert (controller.p, controller.overfitting) == (0.3, 0.0)
    controller.observe(1.0, 1)
    controller.adjust(3, 1)
    assert controller.p == pytest.approx(0.3 + 2 * 1 / 80)


def test_without_augmentation_overconfidence_is_still_measured() -> None:
    off = AdaptiveProbability.start(GanAugmentConfig(enabled=False, initial=0.5, interval=1))
    off.observe(3.0, 4)
    off.adjust(0, 4)
    assert (off.p, off.overfitting) == (0.0, 0.75)


def test_state_is_kept_whole() -> None:
    controller = AdaptiveProbability.start(CONFIG)
    controller.observe(4.0, 4)
    controller.adjust(1, 4)
    controller.observe(1.0, 3)
    again = AdaptiveProbability.start(CONFIG)
    again.load(controller.state())
    assert again == controller
    assert controller.state() == {
        "p": pytest.approx(0.4),
        "sign_sum": 1.0,
        "sign_count": 3,
        "overfitting": 1.0,
    }
