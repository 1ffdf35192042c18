"""The layers of generators, discriminators and students."""

import pytest
import torch
from checkpoint_files.networks import FAMILIES, make_discriminator, make_network
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.evaluation.analysis_options import LayerKind
from squeezespan.evaluation.layers import (
    discriminator_layers,
    generator_layers,
    layers_that_run,
    student_layers,
)
from squeezespan.generators.base import Generator
from squeezespan.generators.custom import ModuleGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.models.backbones import build_backbone, default_stem
from squeezespan.models.student_file import Backbone
from squeezespan.randomness import StepRandom

COUNTS = {
    "stylegan2": 3,
    "stylegan2_conditional": 3,
    "stylegan3_t": 5,
    "stylegan3_r": 5,
    "stylegan_xl": 5,
    "stylegan_xl_superresolution": 6,
    "fastgan": 11,
    "fastgan_conditional": 7,
    "biggan": 6,
    "autogan": 11,
    "dcgan": 4,
}
"""Convolutions of the tiny networks that don't have as many channels as an image."""


def layers_of(generator: Generator, kind: LayerKind, n: int = 4) -> dict[str, Tensor]:
    return generator_layers(generator, generator.sample_latents(n, StepRandom(0)), kind)[1]


def student(arch: str, resolution: int = 32) -> Backbone:
    header = {
        "arch": arch,
        "num_features": 1,
        "resolution": resolution,
        "normalization": {"mean": [0.5] * 3, "std": [0.25] * 3},
    }
    stem = default_stem(arch, resolution)
    return Backbone(build_backbone(arch, stem, resolution), header).eval()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_convolution_of_every_family_is_a_layer(name: str) -> None:
    layers = layers_of(make_network(name), "convolutions")
    assert len(layers) == COUNTS[name], list(layers)
    assert all(x.ndim == 2 and len(x) == 4 and x.dtype == torch.float32 for x in layers.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_blocks_are_the_block_features(name: str) -> None:
    generator = make_network(name)
    latents = generator.sample_latents(4, StepRandom(0))
    generated, layers = generator_layers(generator, latents, "blocks")
    assert list(layers) == list(generator.info.block_channels)
    for block, x in generated.features.items():
        assert torch.allclose(layers[block], x.float().mean(dim=(2, 3)))


def test_the_last_layer_of_a_stylegan_block_is_its_block_feature() -> None:
    for name, last in (("stylegan2", "b8.conv1"), ("stylegan3_t", None)):
        generator = make_network(name)
        blocks, layers = layers_of(generator, "blocks"), layers_of(generator, "convolutions")
        found = layers[last] if last else next(reversed(layers.values()))
        assert torch.allclose(found, next(reversed(blocks.values())), atol=1e-6)


def test_layers_are_in_the_order_of_running_and_named_briefly() -> None:
    config = StyleGAN2Config(
        resolution=16, z_dim=4, w_dim=6, channel_base=64, channel_max=8, architecture="resnet"
    )
    layers = layers_of(StyleGAN2Generator(config).freeze(), "convolutions")
    assert list(layers) == [
        "b4.conv1",
        *("b8.skip", "b8.conv0", "b8.conv1"),
        *("b16.skip", "b16.conv0", "b16.conv1"),
    ]


def test_a_resnet_has_a_layer_for_every_convolution() -> None:
    images = torch.rand(2, 3, 32, 32)
    resnet = student("resnet18")
    convolutions = student_layers(resnet, images, "convolutions")
    assert len(convolutions) == 20
    assert list(convolutions)[:3] == ["conv1", "layer1.0.conv1", "layer1.0.conv2"]
    # The trunk's 17, without the three shortcuts.
    activations = student_layers(resnet, images, "activations")
    assert len(activations) == 17
    blocks = student_layers(resnet, images, "blocks")
    assert list(blocks) == ["act1", "layer1", "layer2", "layer3", "layer4"]
    assert torch.allclose(activations["layer4.1.act2"], blocks["layer4"], atol=1e-6)
    assert torch.allclose(blocks["layer4"], resnet(images), atol=1e-6)


def test_a_vision_transformer_is_told_by_its_blocks() -> None:
    transformer = student("vit_tiny_patch16_224", 32)
    assert len(student_layers(transformer, torch.rand(2, 3, 32, 32), "blocks")) == 12


def test_a_discriminator_has_layers() -> None:
    discriminator, images = make_discriminator(), torch.rand(4, 3, 8, 8)
    blocks = discriminator_layers(discriminator, images, "blocks")
    assert list(blocks) == ["b8", "fc"]
    convolutions = discriminator_layers(discriminator, images, "convolutions")
    assert list(convolutions) == ["b8.fromrgb", "b8.skip", "b8.conv0", "b8.conv1", "b4.conv"]


def test_a_discriminator_s_groups_need_not_be_full() -> None:
    discriminator, images = make_discriminator(), torch.rand(6, 3, 8, 8)
    layers = discriminator_layers(discriminator, images, "blocks")
    assert {len(x) for x in layers.values()} == {6}
    first = discriminator_layers(discriminator, images[:4], "blocks")["b8"]
    assert torch.allclose(layers["b8"][:4], first, atol=1e-6)


def test_a_network_of_ones_own_has_layers() -> None:
    network = nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(8, 3, 1)
    )
    generator = ModuleGenerator(network, z_shape=(4, 1, 1))
    assert list(layers_of(generator, "convolutions")) == ["0"]
    assert list(layers_of(generator, "activations")) == ["1"]


def test_what_runs_twice_is_two_layers() -> None:
    act = nn.ReLU()
    network = nn.Sequential(nn.Linear(2, 3), act, nn.Linear(3, 3), act)
    x = torch.randn(5, 2)
    layers = layers_that_run(network, "activations", lambda: network(x))
    assert list(layers) == ["1", "1 (2)"]
    assert torch.equal(layers["1 (2)"], network(x))


def test_no_layer_of_a_kind_is_said() -> None:
    with pytest.raises(UserError, match=r"\(dcgan\) has no modules that are activations; give"):
        layers_of(make_network("dcgan"), "activations")


def test_no_hook_is_left_behind() -> None:
    generator = make_network("dcgan")
    layers_of(generator, "convolutions")
    assert not any(module._forward_hooks for module in generator.modules())
