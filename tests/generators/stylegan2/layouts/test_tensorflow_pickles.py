"""StyleGAN2's TensorFlow pickles open, converted to the published PyTorch layout."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import networks
from checkpoint_files.foreign import instance
from checkpoint_files.persistence import dump
from checkpoint_files.tensorflow import tensorflow_discriminator, tensorflow_generator

import squeezespan
from squeezespan.cli.main import main
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.stylegan2 import Architecture, StyleGAN2Generator
from squeezespan.randomness import StepRandom


def pickled(generator: Generator, protocol: int = 3, **arguments: Any) -> bytes:
    network = tensorflow_generator(generator.state_dict(), **arguments)
    return dump((network, tensorflow_discriminator(), network), protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("name", ["stylegan2", "stylegan2_conditional"])
def test_images(name: str, protocol: int, tmp_path: Path) -> None:
    original = networks.make_network(name)
    sizes = {"latent_size": 4, "resolution": 8, "fmap_base": 32, "fmap_max": 8}
    arguments = sizes | {"mapping_layers": 2 if name == "stylegan2" else 1}
    path = tmp_path / "stylegan2-car-config-f.pkl"
    path.write_bytes(pickled(original, protocol, **arguments))
    opened = squeezespan.load_generator(path)
    assert opened.info == original.info
    latents = original.sample_latents(3, StepRandom(0))
    for truncation in (1.0, 0.5):
        with torch.no_grad():
            found = opened(latents, truncation=truncation).images
            expected = original(latents, truncation=truncation).images
        # The styles' bias loses its last bit on the way through TensorFlow's, which is one less.
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("protocol", [2, 4])
def test_numbers_and_arrays_without_axes_are_the_same(protocol: int, tmp_path: Path) -> None:
    original = networks.make_network("stylegan2")
    strengths = [x for name, x in original.state_dict().items() if name.endswith("noise_strength")]
    assert all(float(x) for x in strengths)
    latents = original.sample_latents(3, StepRandom(0))
    images = []
    for numbers in (True, False):
        network = tensorflow_generator(original.state_dict(), numbers=numbers)
        path = tmp_path / f"{numbers}.pkl"
        path.write_bytes(dump((network, tensorflow_discriminator(), network), protocol))
        assert (b"scalar" in path.read_bytes()) == numbers
        images.append(squeezespan.load_generator(path)(latents).images)
    assert torch.equal(*images)
    torch.testing.assert_close(images[0], original(latents).images, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [None, "0.5", True, [0.5]])
def test_a_variable_that_is_no_number_is_named(value: Any, tmp_path: Path) -> None:
    network = tensorflow_generator(networks.make_network("stylegan2").state_dict())
    variables = network.components["synthesis"].variables
    place = next(i for i, (name, _) in enumerate(variables) if name.endswith("noise_strength"))
    variables[place] = (variables[place][0], value)
    path = tmp_path / "odd.pkl"
    path.write_bytes(dump((network, tensorflow_discriminator(), network), 3))
    with pytest.raises(UserError, match="noise_strength of G is neither an array nor a number"):
        squeezespan.load_generator(path)


def test_noise_without_its_strength_is_not_filled_in(tmp_path: Path) -> None:
    network = tensorflow_generator(networks.make_network("stylegan2").state_dict())
    synthesis = network.components["synthesis"]
    synthesis.variables = [x for x in synthesis.variables if not x[0].endswith("noise_strength")]
    path = tmp_path / "lacking.pkl"
    path.write_bytes(dump((network, tensorflow_discriminator(), network), 3))
    with pytest.raises(UserError, match="noise_strength"):
        squeezespan.load_generator(path)


def test_a_network_without_noise_inputs_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(networks.STYLEGAN2, use_noise=False, conv_clamp=None)
    original = networks.randomized(StyleGAN2Generator(config))
    network = tensorflow_generator(original.state_dict(), use_noise=False)
    path = tmp_path / "noiseless.pkl"
    path.write_bytes(dump((network, tensorflow_discriminator(), network), 3))
    latents = original.sample_latents(2, StepRandom(0))
    opened = squeezespan.load_generator(path)
    torch.testing.assert_close(opened(latents).images, original(latents).images)
    assert main(["gan", "inspect", str(path), "--seconds", "0"]) == 0
    assert "no noise inputs" in capsys.readouterr().out


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
@pytest.mark.parametrize(("classes", "layers"), [(0, 8), (3, 0), (3, 2)])
def test_a_discriminator(
    architecture: Architecture, classes: int, layers: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = StyleGAN2DiscriminatorConfig(
        16,
        3,
        classes,
        layers,
        mapping_lr_multiplier=0.1,
        channel_base=64,
        channel_max=8,
        architecture=architecture,
    )
    original = networks.randomized(StyleGAN2Discriminator(config))
    judge = tensorflow_discriminator(original.state_dict(), resolution=16, mbstd_group_size=4)
    generator = tensorflow_generator(networks.make_network("stylegan2").state_dict(), resolution=8)
    labels = torch.tensor([0, 2, 1, 0]) if classes else None
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    expected = original(images, labels)
    for content in ((generator, judge, generator), judge):
        path = tmp_path / "stylegan2-config-f.pkl"
        path.write_bytes(dump(content, 3))
        found = squeezespan.load_discriminator(path)(images, labels)
        torch.testing.assert_close(found.logits, expected.logits)
        assert found.features.keys() == expected.features.keys()
        for block, feature in expected.features.items():
            torch.testing.assert_close(found.features[block], feature)


def grown(network: Any, layer: str, level: float) -> Any:
    """The network as one that was grown, with a layer to or from RGB at every level."""
    part = network.components.get("synthesis", network)
    last = [name for name, _ in part.variables if layer in name]
    for index, (name, value) in enumerate(list(part.variables)):
        if name in last:
            kind = name.partition(f"{layer}/")[2]
            part.variables[index] = (f"{layer}_lod0/{kind}", value)
            part.variables += [(f"{layer}_lod{i}/{kind}", value) for i in (1, 2)]
    part.variables.append(("lod", np.float32(level)))
    return network


def test_networks_that_were_grown_use_their_finest_layers_alone(tmp_path: Path) -> None:
    config = replace(networks.STYLEGAN2, resolution=16, architecture="orig", conv_clamp=None)
    original = networks.randomized(StyleGAN2Generator(config))
    judging = StyleGAN2DiscriminatorConfig(
        16, channel_base=64, channel_max=8, architecture="orig", mapping_lr_multiplier=0.1
    )
    judge = networks.randomized(StyleGAN2Discriminator(judging))
    path = tmp_path / "stylegan2-ffhq-config-d.pkl"
    for level in (0.0, 1.5):
        drawer = grown(tensorflow_generator(original.state_dict(), resolution=16), "ToRGB", level)
        critic = tensorflow_discriminator(judge.state_dict(), resolution=16)
        critic.build_func_name = "D_stylegan"
        path.write_bytes(dump((drawer, grown(critic, "FromRGB", level), drawer), 3))
        if level:
            for opens in (squeezespan.load_generator, squeezespan.load_discriminator):
                with pytest.raises(UserError, match=r"lod is 1.5: .* still growing"):
                    opens(path)
        else:
            latents = original.sample_latents(2, StepRandom(0))
            images = original(latents).images
            torch.testing.assert_close(squeezespan.load_generator(path)(latents).images, images)
            found = squeezespan.load_discriminator(path)
            assert found.config == judging
            torch.testing.assert_close(found(images).logits, judge(images).logits)


def test_the_first_stylegan_is_named(tmp_path: Path) -> None:
    state = {"version": 2, "static_kwargs": {}, "components": {}, "variables": []}
    network = instance("dnnlib.tflib.network", "Network", state)
    path = tmp_path / "karras2019stylegan.pkl"
    path.write_bytes(dump((network, network, network), 2))
    with pytest.raises(UserError, match="version 2 of TensorFlow's StyleGAN"):
        squeezespan.load_generator(path)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("nonlinearity", "relu"), ("mapping_lrmul", 1.0), ("normalize_latents", False)],
)
def test_unusual_arguments_are_named(argument: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "unusual.pkl"
    path.write_bytes(pickled(networks.make_network("stylegan2"), **{argument: value}))
    with pytest.raises(UserError, match=f"made with {argument} {value}"):
        squeezespan.load_generator(path)


def test_a_discriminator_alone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "D.pkl"
    path.write_bytes(dump(tensorflow_discriminator(), 3))
    with pytest.raises(UserError, match="a discriminator but no generator"):
        squeezespan.load_generator(path)


def test_an_unusual_filter_is_named(tmp_path: Path) -> None:
    path = tmp_path / "filter.pkl"
    generator = networks.make_network("stylegan2")
    path.write_bytes(pickled(generator, resample_kernel=[1, 2, 1]))
    with pytest.raises(UserError, match=r"resample_kernel \[1, 2, 1\]; only \[1, 3, 3, 1\]"):
        squeezespan.load_generator(path)
