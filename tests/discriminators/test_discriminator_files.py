"""Discriminators out of files, and what goes wrong with their batches."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files.judging import pickled_discriminator
from checkpoint_files.networks import STYLEGAN2, make_discriminator, make_network
from checkpoint_files.persistence import dump, persistent, snapshot
from checkpoint_files.stylegan import StyleGAN2Parts

from squeezespan import UserError, load_discriminator
from squeezespan.discriminators.files import save_discriminator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.untrusted.safetensors import save_network

IMAGES = torch.linspace(-1, 1, 4 * 3 * 64).view(4, 3, 8, 8)


@pytest.mark.parametrize("kind", ["stylegan pickle", "state dict", "ours"])
def test_every_kind_of_file_gives_the_same_features(kind: str, tmp_path: Path) -> None:
    network = make_discriminator()
    file = tmp_path / "network"
    if kind == "stylegan pickle":
        generator = persistent(make_network("stylegan2"), StyleGAN2Parts(STYLEGAN2))
        file.write_bytes(dump(snapshot(generator, pickled_discriminator(network))))
    elif kind == "state dict":
        torch.save({"d": network.state_dict()}, file)
    else:
        save_discriminator(file, network, {})
    opened = load_discriminator(file)
    expected, found = network(IMAGES), opened(IMAGES)
    assert torch.equal(found.logits, expected.logits)
    assert list(found.features) == ["b8", "fc"]
    assert found.features["b8"].shape == (4, 8, 4, 4)
    assert found.features["fc"].shape == (4, 8)
    for block, feature in expected.features.items():
        assert torch.equal(found.features[block], feature)
    assert not any(parameter.requires_grad for parameter in opened.parameters())


@pytest.mark.parametrize("layers", [0, 2, 8])
def test_the_depth_of_the_label_mapping_is_found(layers: int, tmp_path: Path) -> None:
    network = StyleGAN2Discriminator(
        StyleGAN2DiscriminatorConfig(8, 3, 5, layers, channel_base=64, channel_max=8)
    )
    file = tmp_path / "d.pt"
    torch.save({"D": network.state_dict()}, file)
    labels = torch.tensor([0, 4, 2, 1])
    found = load_discriminator(file)(IMAGES, labels)
    assert torch.equal(found.logits, network(IMAGES, labels).logits)


def test_a_training_folder_stands_for_its_discriminator(tmp_path: Path) -> None:
    save_discriminator(tmp_path / "discriminator.safetensors", make_discriminator(), {})
    assert load_discriminator(tmp_path).config.resolution == 8


def test_what_bare_weights_do_not_tell_may_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "d.pt"
    torch.save({"D": make_discriminator().state_dict()}, file)
    config = load_discriminator(file, mbstd_group_size=0, conv_clamp=0).config
    assert (config.mbstd_group_size, config.conv_clamp) == (None, None)
    assert load_discriminator(file, mbstd_group_size=2).config.mbstd_group_size == 2
    with pytest.raises(UserError, match="a group of -4 images is none"):
        load_discriminator(file, mbstd_group_size=-4)
    for clamp in (-1.0, math.inf, math.nan):
        with pytest.raises(UserError, match=f"a clamp of {clamp:g} is none; give 0 or more"):
            load_discriminator(file, conv_clamp=clamp)
    images = torch.cat([IMAGES, IMAGES[:2]])
    assert load_discriminator(file, mbstd_group_size=0)(images).logits.shape == (6, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"mapping_layers": 10**6, "num_classes": 3},
        {"mbstd_group_size": "x"},
        {"mbstd_group_size": -1},
        {"mbstd_group_size": 0},
        {"conv_clamp": []},
        {"conv_clamp": 0},
        {"depth": 3},
    ],
    ids=str,
)
def test_a_header_that_describes_no_discriminator_is_refused(
    change: dict[str, Any], tmp_path: Path
) -> None:
    network = make_discriminator()
    header = {
        "kind": "discriminator",
        "family": "stylegan2",
        "config": asdict(network.config) | change,
        "provenance": {},
    }
    save_network(tmp_path / "d.safetensors", network, header)
    with pytest.raises(UserError, match="header"):
        load_discriminator(tmp_path / "d.safetensors")


def test_an_odd_device_is_refused(tmp_path: Path) -> None:
    save_discriminator(tmp_path / "discriminator.safetensors", make_discriminator(), {})
    with pytest.raises(UserError, match="give auto, cpu, cuda"):
        load_discriminator(tmp_path, "gpu")


def test_a_file_without_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "generator.pth"
    torch.save({"g_ema": make_network("biggan").state_dict()}, file)
    with pytest.raises(UserError, match="holds no discriminator; it has g_ema"):
        load_discriminator(file)


def test_batches_and_labels_that_do_not_fit_are_refused() -> None:
    discriminator = make_discriminator()
    with pytest.raises(UserError, match=r"batch of 6 images does not split .* groups of 4"):
        discriminator(torch.zeros(6, 3, 8, 8))
    with pytest.raises(UserError, match="unconditional"):
        discriminator(IMAGES, torch.zeros(4, dtype=torch.int64))
    with pytest.raises(UserError, match=r"shape \(3, 8, 8\), not \(3, 16, 16\)"):
        discriminator(torch.zeros(4, 3, 16, 16))
    with pytest.raises(UserError, match="at least one image"):
        discriminator(IMAGES[:0])
    conditional = StyleGAN2Discriminator(
        StyleGAN2DiscriminatorConfig(resolution=8, num_classes=3, channel_base=64, channel_max=8)
    )
    with pytest.raises(UserError, match="give class labels"):
        conditional(IMAGES)
    with pytest.raises(UserError, match="there is no class 3; this discriminator's are 0 to 2"):
        conditional(IMAGES, torch.full((4,), 3))
