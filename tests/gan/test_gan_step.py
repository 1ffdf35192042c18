"""One step of GAN training."""

import dataclasses

import pytest
import torch

from squeezespan.discriminators.stylegan2 import StyleGAN2DiscriminatorConfig
from squeezespan.errors import UserError
from squeezespan.gan.config import (
    GanAugmentConfig,
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanLossConfig,
    GanRunConfig,
    GanTrainConfig,
)
from squeezespan.gan.step import GanStep
from squeezespan.generators.stylegan2 import StyleGAN2Config
from squeezespan.randomness import StepRandom

TINY = GanTrainConfig(
    resolution=8,
    train=GanRunConfig(batch_size=4, learning_rate=0.01),
    generator=GanGeneratorConfig(
        z_dim=8, w_dim=8, channel_base=64, channel_max=8, mapping_layers=1
    ),
    discriminator=GanDiscriminatorConfig(channel_base=64, channel_max=8, mbstd_group_size=2),
    loss=GanLossConfig(r1_interval=2, path_length_interval=2),
    augment=GanAugmentConfig(initial=0.3),
)
CPU = torch.device("cpu")


def real(step: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(step)
    return torch.rand(4, 3, 8, 8, generator=generator) * 2 - 1


def weights(step: GanStep) -> torch.Tensor:
    networks = (step.generator, step.discriminator, step.average)
    return torch.cat([x.flatten() for net in networks for x in net.state_dict().values()])


def test_step_trains_both_networks_and_the_average_follows() -> None:
    gan = GanStep(TINY, 0, CPU, torch.float32)
    watched = [
        gan.generator.get_parameter("synthesis.b4.const"),
        gan.discriminator.get_parameter("b4.fc.weight"),
        gan.average.get_parameter("synthesis.b4.const"),
    ]
    before = [parameter.clone() for parameter in watched]
    numbers = gan.run(0, real(0), None)
    assert not any(torch.equal(old, new) for old, new in zip(before, watched, strict=True))
    assert {"loss/generator", "loss/discriminator", "r1", "path_length"} <= numbers.keys()
    assert float(gan.generator.mapping.w_avg.abs().sum()) > 0


def test_networks_begin_as_they_are_to_be_used() -> None:
    gan = GanStep(TINY, 0, CPU, torch.bfloat16)
    assert not gan.average.training
    assert not any(parameter.requires_grad for parameter in gan.average.parameters())
    for network in (gan.generator, gan.average):
        dtypes = [block.compute_dtype for block in network.synthesis.blocks()]
        assert dtypes == [torch.float32, torch.bfloat16]
    assert [block.compute_dtype for block in gan.discriminator.blocks()] == [torch.bfloat16]
    assert gan.generator.training
    assert gan.discriminator.training
    for ours, theirs in zip(gan.average.parameters(), gan.generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert gan.state()["origin"] == {}
    assert gan.provenance == {}


def test_networks_have_the_sizes_of_the_settings() -> None:
    config = dataclasses.replace(
        TINY,
        resolution=16,
        generator=GanGeneratorConfig(
            z_dim=7, w_dim=5, channel_base=96, channel_max=9, mapping_layers=3, conv_clamp=33.0
        ),
        discriminator=GanDiscriminatorConfig(
            channel_base=80,
            channel_max=11,
            architecture="orig",
            mbstd_group_size=4,
            conv_clamp=44.0,
        ),
    )
    gan = GanStep(config, 3, CPU, torch.float32)
    assert gan.generator.config == StyleGAN2Config(
        resolution=16,
        z_dim=7,
        w_dim=5,
        num_classes=3,
        channel_base=96,
        channel_max=9,
        mapping_layers=3,
        conv_clamp=33.0,
    )
    assert gan.discriminator.config == StyleGAN2DiscriminatorConfig(
        resolution=16,
        num_classes=3,
        channel_base=80,
        channel_max=11,
        architecture="orig",
        mbstd_group_size=4,
        conv_clamp=44.0,
    )


def test_weights_are_drawn_from_the_seed() -> None:
    seeds = [
        dataclasses.replace(TINY, train=dataclasses.replace(TINY.train, seed=n)) for n in (1, 1, 2)
    ]
    torch.manual_seed(0)
    first, again, other = (weights(GanStep(config, 0, CPU, torch.float32)) for config in seeds)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_learning_rates_are_lowered_for_lazy_terms_whatever_their_weight() -> None:
    loss = GanLossConfig(r1_interval=16, path_length_interval=4, path_length_weight=0)
    gan = GanStep(dataclasses.replace(TINY, loss=loss), 0, CPU, torch.float32)
    assert gan.generator_optimizer.param_groups[0]["lr"] == pytest.approx(0.01 * 4 / 5)
    assert gan.generator_optimizer.param_groups[0]["betas"] == (0.0, pytest.approx(0.99**0.8))
    assert gan.discriminator_optimizer.param_groups[0]["lr"] == pytest.approx(0.01 * 16 / 17)


def test_an_infinite_gradient_does_not_break_the_weights() -> None:
    gan = GanStep(TINY, 0, CPU, torch.float32)
    network = torch.nn.Linear(4, 1, bias=False)
    weight = network.get_parameter("weight")
    torch.nn.init.ones_(weight)
    weight.grad = torch.tensor([[-torch.inf, torch.nan, 1.0, torch.inf]])
    gan._descend(network, torch.optim.SGD([weight], lr=1e-6))
    assert weight[0].tolist() == pytest.approx([1.1, 1.0, 1 - 1e-6, 0.9], abs=1e-7)
    assert weight.grad is None


def test_lazy_terms_come_at_their_interval() -> None:
    gan = GanStep(TINY, 0, CPU, torch.float32)
    seen = [gan.run(step, real(step), None).keys() for step in range(4)]
    assert ["r1" in keys for keys in seen] == [True, False, True, False]


def test_state_continues_exactly() -> None:
    whole = GanStep(TINY, 0, CPU, torch.float32)
    for step in range(4):
        whole.run(step, real(step), None)
    first = GanStep(TINY, 0, CPU, torch.float32)
    for step in range(2):
        first.run(step, real(step), None)
    first.origin = {"generator": "old.pkl"}
    second = GanStep(dataclasses.replace(TINY), 0, CPU, torch.float32)
    second.load(first.state())
    assert second.origin == {"generator": "old.pkl"}
    for step in range(2, 4):
        second.run(step, real(step), None)
    assert torch.equal(weights(whole), weights(second))


def test_conditional_training_uses_labels() -> None:
    labels = torch.tensor([0, 1, 2, 0])
    one = GanStep(TINY, 3, CPU, torch.float32)
    two = GanStep(TINY, 3, CPU, torch.float32)
    one.run(0, real(0), labels)
    two.run(0, real(0), labels.flip(0))
    assert not torch.equal(weights(one), weights(two))


def test_frozen_layers_of_the_discriminator_keep_their_weights() -> None:
    config = dataclasses.replace(
        TINY, resolution=16, init=dataclasses.replace(TINY.init, freeze_d=5)
    )
    gan = GanStep(config, 0, CPU, torch.float32)
    before = {name: weight.clone() for name, weight in gan.discriminator.named_parameters()}
    for step in range(2):
        gan.run(step, torch.rand(4, 3, 16, 16) * 2 - 1, None)
    layers = {
        name.rsplit(".", 1)[0]
        for name, weight in gan.discriminator.named_parameters()
        if torch.equal(weight, before[name])
    }
    # Four at 16x16, as the published code counts them, and one of the next block.
    assert layers == {"b16.fromrgb", "b16.conv0", "b16.conv1", "b16.skip", "b8.conv0"}


def test_more_frozen_layers_than_there_are_are_refused() -> None:
    init = dataclasses.replace(TINY.init, freeze_d=5)
    with pytest.raises(UserError, match=r"--init\.freeze-d 5 is more than the 4 layers"):
        GanStep(dataclasses.replace(TINY, init=init), 0, CPU, torch.float32)


def test_generator_learns_a_constant_image() -> None:
    """A discriminator that sees one colour alone teaches the generator that colour."""
    config = dataclasses.replace(
        TINY,
        augment=GanAugmentConfig(enabled=False),
        loss=GanLossConfig(r1_gamma=0.1, path_length_weight=0, style_mixing=0),
    )
    gan = GanStep(config, 0, CPU, torch.float32)
    target = torch.tensor([0.8, -0.6, 0.1])[None, :, None, None].expand(4, 3, 8, 8)
    torch.manual_seed(0)
    for step in range(100):
        gan.run(step, target + 0.02 * torch.randn(4, 3, 8, 8), None)
    with torch.no_grad():
        random = StepRandom(0, stream="test")
        images = gan.generator(gan.generator.sample_latents(16, random)).images
    assert (images.mean(dim=(0, 2, 3)) - target[0, :, 0, 0]).abs().max() < 0.4
