"""What holds for every family that opens from a bare state dict."""

import contextlib
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators import autogan, biggan, dcgan, fastgan
from squeezespan.generators.base import Generator
from squeezespan.generators.state_shapes import natural_order
from squeezespan.randomness import StepRandom

FAMILIES: dict[str, tuple[Callable[[Mapping[str, Tensor]], Any], Callable[[Any], Generator], Any]]
FAMILIES = {
    "biggan": (
        biggan.config_from_state,
        biggan.BigGANGenerator,
        biggan.BigGANConfig(
            z_dim=12,
            num_classes=3,
            widths=(16, 16, 8),
            shared_dim=5,
            hierarchical=True,
            attention_blocks=(0,),
        ),
    ),
    "autogan": (
        autogan.config_from_state,
        autogan.AutoGANGenerator,
        autogan.AutoGANConfig(z_dim=8, width=4),
    ),
    "fastgan": (
        fastgan.config_from_state,
        fastgan.FastGANGenerator,
        fastgan.FastGANConfig(resolution=64, z_dim=8, base_width=2, num_classes=3),
    ),
    "dcgan": (
        dcgan.config_from_state,
        dcgan.DCGANGenerator,
        dcgan.DCGANConfig(z_dim=8, widths=(8, 8, 4, 4)),
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_damaged_state_is_refused_or_gives_a_config(family: str) -> None:
    infer, build, config = FAMILIES[family]
    state = build(config).state_dict()
    generator = random.Random(0)
    for _ in range(300):
        damaged = dict(state)
        for name in generator.sample(sorted(damaged), k=generator.choice([1, 1, 2, 5])):
            if generator.random() < 0.3:
                del damaged[name]
            else:
                shape = [generator.choice([0, 1, 3, 8, 64]) for _ in range(generator.randrange(5))]
                damaged[name] = torch.empty(shape, device="meta")
        with contextlib.suppress(UserError):
            assert isinstance(infer(damaged), type(config))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_family_takes_another_for_its_own(family: str) -> None:
    _, build, config = FAMILIES[family]
    state = build(config).state_dict()
    for other, (infer, _, _) in FAMILIES.items():
        if other == family:
            assert infer(state) == config
        else:
            with pytest.raises(UserError, match="these weights are not those of"):
                infer(state)


@pytest.mark.parametrize("family", FAMILIES)
def test_opens_on_the_meta_device_and_takes_the_file_s_tensors(family: str) -> None:
    infer, build, config = FAMILIES[family]
    usual = build(config).eval().requires_grad_(False)
    state = usual.state_dict()
    with torch.device("meta"):
        generator = build(infer(state))
    generator.load_state_dict(state, assign=True)
    generator.eval().requires_grad_(False)
    latents = usual.sample_latents(2, StepRandom(0))
    assert torch.equal(generator(latents).images, usual(latents).images)


@pytest.mark.parametrize("family", FAMILIES)
def test_float32_stays_exact_inside_autocast(family: str) -> None:
    _, build, config = FAMILIES[family]
    generator = build(config).eval().requires_grad_(False)
    latents = generator.sample_latents(2, StepRandom(0))
    exact = generator(latents).images
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(generator(latents).images, exact)


@pytest.mark.parametrize("family", FAMILIES)
def test_info_names_the_blocks_that_come_out(family: str) -> None:
    _, build, config = FAMILIES[family]
    generator = build(config).eval().requires_grad_(False)
    generated = generator(generator.sample_latents(2, StepRandom(0)))
    info = generator.info
    found = {name: feature.shape[1] for name, feature in generated.features.items()}
    assert found == info.block_channels
    assert list(found) == list(info.block_channels)
    assert all(name == f"b{feature.shape[-1]}" for name, feature in generated.features.items())
    assert generated.images.shape == (2, info.channels, info.resolution, info.resolution)
    assert generated.w.shape == (2, info.num_ws, info.w_dim)


def test_names_are_read_in_counting_order() -> None:
    names = ["main.12.weight", "main.9.bias", "main.9.0", "main", "main." + "9" * 5000]
    assert sorted(names, key=natural_order) == [names[3], names[2], names[1], names[0], names[4]]
