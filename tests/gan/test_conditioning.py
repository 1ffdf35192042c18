"""Conditional networks that begin as unconditional ones: equal outputs, and classes are learnt."""

import dataclasses

import pytest
import torch

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.gan.conditioning import conditional_discriminator, conditional_generator
from squeezespan.generators.base import Latents
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator

CLASSES = 5
SIZES = StyleGAN2Config(
    resolution=16, z_dim=6, w_dim=10, channel_base=64, channel_max=8, mapping_layers=2
)
JUDGING = StyleGAN2DiscriminatorConfig(
    resolution=16, channel_base=64, channel_max=8, mapping_layers=3, mbstd_group_size=2
)
LABELS = torch.tensor([0, 4, 2, 4])


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_a_generator_draws_the_same_images_for_every_class() -> None:
    trained = StyleGAN2Generator(SIZES).eval()
    fresh = StyleGAN2Generator(dataclasses.replace(SIZES, num_classes=CLASSES)).eval()
    fresh.load_state_dict(conditional_generator(fresh, trained))
    z = torch.randn(4, 6)
    expected = trained(Latents(z, None)).images
    found = fresh(Latents(z, LABELS)).images
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    found.square().sum().backward()
    first = fresh.get_parameter("mapping.fc0.weight").grad
    assert first is not None
    assert bool(first[:, 6:].abs().sum() > 0)


def test_a_discriminator_judges_the_same_and_learns_classes_in_many_directions() -> None:
    trained = StyleGAN2Discriminator(JUDGING)
    torch.nn.init.normal_(trained.b4.out.bias)
    fresh = StyleGAN2Discriminator(dataclasses.replace(JUDGING, num_classes=CLASSES))
    fresh.load_state_dict(conditional_discriminator(fresh, trained))
    images = torch.randn(4, 3, 16, 16)
    expected = trained(images).logits
    for labels in (LABELS, LABELS.flip(0)):
        found = fresh(images, labels).logits
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    (found[0] - found[1]).sum().backward()
    gradient = fresh.get_parameter("mapping.fc2.weight").grad
    assert gradient is not None
    assert torch.linalg.matrix_rank(gradient) >= 2
