"""Steps of GAN training beside the published formulas: losses, weights, what D is shown."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from gan.published_step import PublishedStep
from gan.tiny_projected import make_student
from torch import Tensor

from squeezespan.gan.config import (
    GanAidConfig,
    GanAugmentConfig,
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanLossConfig,
    GanOriginConfig,
    GanRunConfig,
    GanTrainConfig,
)
from squeezespan.gan.share import Share
from squeezespan.gan.step import GanStep

BATCH = 4
RATE = 0.003


def config(**sections: Any) -> GanTrainConfig:
    settings: dict[str, Any] = {
        "resolution": 8,
        "train": GanRunConfig(batch_size=BATCH, learning_rate=RATE, seed=5),
        "generator": GanGeneratorConfig(
            z_dim=8, w_dim=6, channel_base=64, channel_max=8, mapping_layers=2
        ),
        "discriminator": GanDiscriminatorConfig(channel_base=64, channel_max=8, mbstd_group_size=2),
        "augment": GanAugmentConfig(enabled=False),
    }
    return GanTrainConfig(**{**settings, **sections})


_PLAIN = GanLossConfig(
    r1_gamma=0.0, r1_interval=1, path_length_weight=0.0, style_mixing=0.0, ema_rampup=None
)
CASES = {
    "losses alone": config(loss=_PLAIN),
    "r1": config(loss=dataclasses.replace(_PLAIN, r1_gamma=7.0, r1_interval=3)),
    "r1 and r2": config(
        loss=dataclasses.replace(_PLAIN, r1_gamma=7.0, r2_gamma=4.0, r1_interval=2)
    ),
    "relativistic": config(
        loss=dataclasses.replace(_PLAIN, adversarial="relativistic"),
        augment=GanAugmentConfig(initial=0.5, interval=1, speed_kimg=0.04),
    ),
    "falling rates": config(
        loss=_PLAIN,
        train=GanRunConfig(
            batch_size=BATCH, learning_rate=RATE, seed=5, decay_kimg=0.004, decay_after_kimg=0.004
        ),
    ),
    "path length": config(
        loss=dataclasses.replace(_PLAIN, path_length_weight=3.0, path_length_interval=2)
    ),
    "style mixing": config(loss=dataclasses.replace(_PLAIN, style_mixing=0.6)),
    "average": config(loss=dataclasses.replace(_PLAIN, ema_kimg=0.012)),
    "average, young": config(loss=dataclasses.replace(_PLAIN, ema_kimg=0.012, ema_rampup=0.4)),
    "no average": config(loss=dataclasses.replace(_PLAIN, ema_kimg=0.0)),
    "augmentation": config(
        loss=_PLAIN, augment=GanAugmentConfig(initial=0.5, interval=2, speed_kimg=0.04)
    ),
    "augmentation, other target": config(
        loss=_PLAIN,
        augment=GanAugmentConfig(initial=0.5, interval=1, speed_kimg=0.04, target=-0.9),
    ),
    "discriminator first": config(
        loss=dataclasses.replace(_PLAIN, path_length_weight=3.0, path_length_interval=1),
        init=GanOriginConfig(warmup_kimg=0.008),
    ),
    "everything": config(
        train=GanRunConfig(
            batch_size=BATCH, learning_rate=RATE, discriminator_learning_rate=0.001, seed=1
        ),
        loss=GanLossConfig(r1_interval=3, path_length_interval=2, style_mixing=0.5),
        augment=GanAugmentConfig(initial=0.3, interval=2, speed_kimg=0.1),
    ),
}


def real(step: int) -> Tensor:
    generator = torch.Generator().manual_seed(step)
    return torch.rand(BATCH, 3, 8, 8, generator=generator) * 2 - 1


@pytest.mark.parametrize(("case", "classes"), [("everything", 3), *((case, 0) for case in CASES)])
def test_steps_are_the_published_ones(case: str, classes: int) -> None:
    assert_published(CASES[case], classes)


@pytest.mark.parametrize(("adversarial", "classes"), [("logistic", 3), ("relativistic", 0)])
def test_a_students_heads_add_a_loss_of_the_same_kind_on_the_same_augmented_images(
    adversarial: Literal["logistic", "relativistic"], classes: int, tmp_path: Path
) -> None:
    student = make_student(tmp_path).removeprefix("student:")
    settings = config(
        loss=GanLossConfig(
            adversarial=adversarial, r1_interval=3, path_length_interval=2, ema_kimg=0.012
        ),
        augment=GanAugmentConfig(initial=0.5, interval=2, speed_kimg=0.1),
        aid=GanAidConfig(backbone=student, weight=0.7, channels=4),
        train=GanRunConfig(batch_size=BATCH, learning_rate=RATE, seed=5, decay_kimg=0.01),
    )
    assert_published(settings, classes, steps=2)


def assert_published(settings: GanTrainConfig, classes: int, steps: int = 4) -> None:
    gan = GanStep(settings, classes, torch.device("cpu"), torch.float32)
    for block in gan.generator.synthesis.blocks():
        torch.nn.init.constant_(block.conv1.noise_strength, 0.3)
    published = PublishedStep(gan, settings)
    shown: list[Tensor] = []
    gan.discriminator.register_forward_pre_hook(lambda _, args: shown.append(args[0].detach()))
    labels = torch.tensor([0, 1, 2, 1]) if classes else None
    for step in range(steps):
        shown.clear()
        numbers = gan.run(step, real(step), labels)
        expected = published.run(step, real(step), labels)
        assert numbers.keys() == expected.keys()
        for name, value in expected.items():
            assert float(numbers[name]) == pytest.approx(value, rel=1e-3, abs=1e-4), (name, step)
        assert len(shown) == len(published.shown)
        for ours, theirs in zip(shown, published.shown, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)
        assert float(gan.path_mean) == pytest.approx(published.path_mean, rel=1e-4)
        for network, state in published.tensors().items():
            owner = gan.aid if network == "heads" else gan
            trained = getattr(owner, network).state_dict()
            for name, weight in state.items():
                errors = (trained[name] - weight).abs()
                # Of the heads' many thousands, some have gradients that rounding turns round.
                error = float(errors.float().mean() if network == "heads" else errors.max())
                # A fiftieth of an update; the mapping's stored weights are in the hundreds.
                allowed = 0.02 * RATE + 5e-7 * float(weight.abs().max())
                assert error < allowed, (network, name, step)


@pytest.mark.parametrize("micro_batch", [None, 1])
def test_path_lengths_are_pulled_towards_their_running_mean(micro_batch: int | None) -> None:
    """Where the mean is about as long as the lengths, its own gradient weighs most."""
    settings = CASES["path length"]
    gan = GanStep(settings, 0, torch.device("cpu"), torch.float32, Share(micro_batch=micro_batch))
    typical = PublishedStep(gan, settings).regularize_generator(0, BATCH)
    published = PublishedStep(gan, settings)
    published.path_mean = typical
    gan.path_mean.fill_(typical)
    lengths = gan._regularize_generator(0)
    assert float(lengths) == pytest.approx(published.regularize_generator(0, BATCH), rel=1e-4)
    assert float(gan.path_mean) == pytest.approx(published.path_mean, rel=1e-5)
    for name, weight in gan.generator.named_parameters():
        if name in published.optimize_G.second:
            squared = published.optimize_G.second[name]
            found = gan.generator_optimizer.state[weight]["exp_avg_sq"]
            scale = float(squared.max())
            torch.testing.assert_close(found, squared, rtol=2e-3, atol=1e-4 * scale + 1e-12)


def test_the_cases_reach_every_branch() -> None:
    """A case that changes nothing would compare nothing."""
    ends = {}
    for case, settings in CASES.items():
        gan = GanStep(settings, 0, torch.device("cpu"), torch.float32)
        for step in range(3):
            gan.run(step, real(step), None)
        networks = (gan.generator, gan.discriminator, gan.average)
        ends[case] = torch.cat([x.flatten() for net in networks for x in net.parameters()])
    names = list(ends)
    for i, first in enumerate(names):
        for second in names[:i]:
            assert not torch.equal(ends[first], ends[second]), (first, second)
