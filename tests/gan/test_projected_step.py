"""One step of Projected GAN: what it sees, what it changes, and how it goes on."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from gan.tiny_projected import make_student, tiny_projected
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.gan.config import GanLossConfig, GanOriginConfig, GanTrainConfig
from squeezespan.gan.diffaugment import diff_augment
from squeezespan.gan.projected_step import ProjectedStep
from squeezespan.generators.fastgan import FastGANConfig
from squeezespan.randomness import StepRandom

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_student(tmp_path_factory.mktemp("student"))


def real(step: int, side: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(step)
    return torch.rand(4, 3, side, side, generator=generator) * 2 - 1


def weights(gan: ProjectedStep) -> Tensor:
    networks = (gan.generator, gan.discriminator, gan.average)
    return torch.cat([x.flatten() for net in networks for x in net.state_dict().values()])


def build(config: GanTrainConfig, classes: int = 0) -> ProjectedStep:
    with torch.random.fork_rng([]):
        return ProjectedStep(config, classes, CPU, torch.float32)


@pytest.mark.parametrize("family", ["stylegan2", "fastgan", "fastgan-lite"])
@pytest.mark.parametrize("classes", [0, 3])
def test_a_step_trains_generator_and_heads_only(family: str, classes: int, student: str) -> None:
    gan = build(tiny_projected(student, family=family), classes)
    before = {
        name: {key: x.clone() for key, x in getattr(gan, name).state_dict().items()}
        for name in ("generator", "discriminator", "average", "features")
    }
    labels = torch.tensor([0, 1, 2, 1]) if classes else None
    numbers = gan.run(0, real(0, gan.config.side), labels)
    assert {"loss/generator", "loss/discriminator", "logits/real", "logits/fake"} <= set(numbers)
    for name, state in before.items():
        after = getattr(gan, name).state_dict()
        moved = {key for key, x in state.items() if not torch.equal(x, after[key])}
        if name == "features":
            assert not moved
        elif name == "discriminator":
            assert not any(key.startswith("mixing") for key in moved)
            assert any(key.endswith("weight_orig") for key in moved)
            assert any(key.endswith("running_var") for key in moved)
        else:
            assert any("synthesis" in key for key in moved)
    # Half-lives are shares of the images seen before the step: none.
    pairs = zip(gan.average.parameters(), gan.generator.parameters(), strict=True)
    assert all(torch.equal(kept, new) for kept, new in pairs)


def test_state_continues_exactly(student: str) -> None:
    config = tiny_projected(student, family="fastgan")
    whole, first = build(config), build(config)
    for step in range(4):
        whole.run(step, real(step, 64), None)
    for step in range(2):
        first.run(step, real(step, 64), None)
    second = build(config)
    second.load(first.state())
    for step in range(2, 4):
        second.run(step, real(step, 64), None)
    assert torch.equal(weights(whole), weights(second))


def test_weights_and_mixing_are_drawn_from_the_seed(student: str) -> None:
    config = tiny_projected(student)
    other = dataclasses.replace(config, train=dataclasses.replace(config.train, seed=1))
    torch.manual_seed(3)
    one, two, three = build(config), build(config), build(other)
    assert torch.equal(weights(one), weights(two))
    mixing = "mixing.layer0_ccm.weight"
    assert not torch.equal(
        one.discriminator.get_parameter(mixing), three.discriminator.get_parameter(mixing)
    )


def test_other_feature_weights_are_refused_on_resuming(student: str, tmp_path: Path) -> None:
    gan = build(tiny_projected(student))
    state = gan.state()
    other = build(tiny_projected(make_student(tmp_path, seed=1)))
    with pytest.raises(UserError, match="has other weights than when the run began"):
        other.load(state)


def test_learning_rates_are_the_published_ones(student: str) -> None:
    config = tiny_projected(student)
    train = dataclasses.replace(config.train, discriminator_learning_rate=0.001)
    gan = build(dataclasses.replace(config, train=train, loss=_loss(r1_interval=16)))
    generator, heads = (
        x.param_groups[0] for x in (gan.generator_optimizer, gan.discriminator_optimizer)
    )
    assert (generator["lr"], generator["betas"], generator["eps"]) == (0.002, (0.0, 0.99), 1e-8)
    assert heads["lr"] == pytest.approx(0.001 * 16 / 17)
    assert heads["betas"] == (0.0, pytest.approx(0.99 ** (16 / 17)))
    assert gan.generator.mapping.w_avg_beta == 0.998  # type: ignore[union-attr]


def test_precision_is_that_of_all_but_parameters_and_logits(student: str) -> None:
    with torch.random.fork_rng([]):
        gan = ProjectedStep(tiny_projected(student), 0, CPU, torch.bfloat16)
    found = gan.features(real(0))
    assert {x.dtype for x in found} == {torch.bfloat16}
    assert gan.discriminator(found).dtype == torch.float32
    numbers = gan.run(0, real(0), None)
    assert all(bool(torch.as_tensor(x).isfinite()) for x in numbers.values())
    assert {x.dtype for x in gan.discriminator.parameters()} == {torch.float32}


def test_half_precision_is_stylegan2s_alone(student: str) -> None:
    with torch.random.fork_rng([]):
        gan = ProjectedStep(tiny_projected(student), 0, CPU, torch.float16)
        assert gan.discriminator.compute_dtype == torch.float32
        assert gan.features.compute_dtype == torch.float32
        with pytest.raises(UserError, match="bf16 or fp32"):
            ProjectedStep(tiny_projected(student, family="fastgan"), 0, CPU, torch.float16)


def test_fastgan_has_the_sizes_of_the_settings(student: str) -> None:
    gan = build(tiny_projected(student, family="fastgan-lite"), 5)
    assert gan.generator.config == FastGANConfig(
        resolution=64, z_dim=8, num_classes=5, base_width=2, lite=True
    )
    assert gan.discriminator.config.num_classes == 5
    assert gan.discriminator.config.feature_channels == (32, 64, 128, 256)


def test_the_generator_waits_for_a_new_discriminator(student: str) -> None:
    config = dataclasses.replace(tiny_projected(student), init=GanOriginConfig(warmup_kimg=0.004))
    gan = build(config)
    before = [x.clone() for x in gan.generator.parameters()]
    assert "loss/generator" not in gan.run(0, real(0), None)
    assert all(torch.equal(x, y) for x, y in zip(before, gan.generator.parameters(), strict=True))
    assert "loss/generator" in gan.run(1, real(1), None)


def test_the_discriminator_is_shown_augmented_images(
    student: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    for augments in (True, False):
        config = tiny_projected(student)
        projected = dataclasses.replace(config.projected, diffaugment=augments)
        gan = build(dataclasses.replace(config, projected=projected))
        seen.clear()
        gan.features.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        gan.run(5, real(5), None)
        shown = seen[-1]
        random = StepRandom(0, 5, stream="augment-real")
        assert torch.equal(shown, diff_augment(real(5), random) if augments else real(5))
        assert len(seen) == 3


def test_a_generator_learns_a_constant_image(student: str) -> None:
    """A discriminator that sees one colour alone teaches the generator that colour."""
    config = tiny_projected(student)
    projected = dataclasses.replace(config.projected, diffaugment=False)
    gan = build(dataclasses.replace(config, projected=projected))
    target = torch.tensor([0.8, -0.6, 0.1])[None, :, None, None].expand(4, 3, 16, 16)

    def distance() -> float:
        with torch.no_grad():
            images = gan.average(gan.average.sample_latents(16, StepRandom(0))).images
        return float((images.mean(dim=(0, 2, 3)) - target[0, :, 0, 0]).abs().mean())

    before = distance()
    noise = torch.Generator().manual_seed(0)
    for step in range(16):
        gan.run(step, target + 0.02 * torch.randn(4, 3, 16, 16, generator=noise), None)
    assert distance() < 0.8 * before


def _loss(**changes: Any) -> GanLossConfig:
    return GanLossConfig(r1_gamma=0, path_length_weight=0, style_mixing=0, **changes)
