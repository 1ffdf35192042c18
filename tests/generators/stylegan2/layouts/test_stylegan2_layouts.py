"""StyleGAN2 in other repositories' layouts: renamed, equal, and refused where they differ."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files import networks
from checkpoint_files.layouts import genforce_state, mmgeneration_state
from checkpoint_files.rosinality import rosinality_state
from torch import Tensor

import squeezespan
from squeezespan.errors import UserError
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.randomness import StepRandom

CONFIG = replace(networks.STYLEGAN2, resolution=16, channel_base=128, conv_clamp=None)


@pytest.fixture
def generator() -> StyleGAN2Generator:
    torch.manual_seed(0)
    return networks.randomized(StyleGAN2Generator(CONFIG))


def content(layout: str, generator: StyleGAN2Generator) -> dict[str, Any]:
    """What a file of the layout's repository holds."""
    state = generator.state_dict()
    average = state["mapping.w_avg"]
    encoder = {"encoder.input_layer.0.weight": torch.zeros(4, 3, 3, 3)}
    pasted = {f"decoder.{name}": x for name, x in rosinality_state(state).items()}
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "rosinality": lambda: {"g_ema": rosinality_state(state), "latent_avg": average},
        "pSp": lambda: {
            "state_dict": encoder | pasted,
            "latent_avg": average.expand(6, -1).clone(),
            "opts": {"encoder_type": "GradualStyleEncoder", "device": "cuda:0"},
        },
        "mmgeneration": lambda: {
            "meta": {"epoch": 1},
            "state_dict": {
                f"{network}.{name}": x
                for network in ("generator", "generator_ema")
                for name, x in mmgeneration_state(state).items()
            },
        },
        "genforce": lambda: {
            "models": {
                "generator": genforce_state(state),
                "generator_smooth": genforce_state(state),
            }
        },
    }
    return makers[layout]()


@pytest.mark.parametrize("layout", ["rosinality", "pSp", "mmgeneration", "genforce"])
def test_images_and_features(layout: str, generator: StyleGAN2Generator, tmp_path: Path) -> None:
    path = tmp_path / f"{layout}.pt"
    torch.save(content(layout, generator), path)
    opened = squeezespan.load_generator(path)
    if layout == "mmgeneration":
        # Its files have no average of w; truncation then pulls towards an estimated one.
        generator.get_buffer("mapping.w_avg").copy_(opened.get_buffer("mapping.w_avg"))
    latents = generator.sample_latents(3, StepRandom(0))
    assert opened.info == generator.info
    for truncation in (1.0, 0.6):
        found = opened(latents, truncation=truncation)
        expected = generator(latents, truncation=truncation)
        torch.testing.assert_close(found.images, expected.images, rtol=1e-5, atol=1e-5)
        for block, feature in expected.features.items():
            torch.testing.assert_close(found.features[block], feature, rtol=1e-5, atol=1e-5)


def test_an_estimated_average_is_named(
    generator: StyleGAN2Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mmgeneration.pth"
    torch.save(content("mmgeneration", generator), path)
    squeezespan.load_generator(path)
    assert "the average of w, which truncation needs, is that of 8,192" in capsys.readouterr().err


def test_fixed_noise_that_is_drawn_anew_is_named(
    generator: StyleGAN2Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = rosinality_state(generator.state_dict())
    path = tmp_path / "old.pt"
    torch.save({k: v for k, v in state.items() if not k.startswith("noises.")}, path)
    squeezespan.load_generator(path)
    assert "fixed noise, which the file lacks in 5 layers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("style.1.weight", torch.zeros(6, 12), "maps 12 numbers to 6"),
        ("style.1.weight", torch.zeros(6), "has an odd shape|has shape"),
        ("extra.weight", torch.zeros(3), "a weight extra.weight, which rosinality's StyleGAN2"),
    ],
)
def test_what_the_layout_does_not_have_is_refused(
    name: str, value: Tensor, message: str, generator: StyleGAN2Generator, tmp_path: Path
) -> None:
    path = tmp_path / "odd.pt"
    torch.save({"g_ema": rosinality_state(generator.state_dict()) | {name: value}}, path)
    with pytest.raises(UserError, match=message):
        squeezespan.load_generator(path)


def test_another_filter_is_followed(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    """Its files keep the filters, so they are no assumption."""
    box = torch.full((4, 4), 4 / 16)
    state = rosinality_state(generator.state_dict())
    path = tmp_path / "box.pt"
    torch.save({k: box if k.endswith(".kernel") else v for k, v in state.items()}, path)
    for name, buffer in generator.named_buffers():
        # The first block and the convolutions that keep the size have a filter without a use.
        if name.endswith("resample_filter"):
            buffer.fill_(1 / 16)
    latents = generator.sample_latents(2, StepRandom(0))
    found = squeezespan.load_generator(path)(latents).images
    torch.testing.assert_close(found, generator(latents).images, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", ["rosinality", "mmgeneration", "genforce"])
def test_own_widths_are_followed(layout: str, tmp_path: Path) -> None:
    config = replace(CONFIG, widths=(5, 8, 3))
    generator = networks.randomized(StyleGAN2Generator(config))
    path = tmp_path / "own.pt"
    torch.save(content(layout, generator), path)
    opened = squeezespan.load_generator(path)
    assert opened.info.block_channels == {"b4": 5, "b8": 8, "b16": 3}
    latents = generator.sample_latents(2, StepRandom(0))
    torch.testing.assert_close(opened(latents).images, generator(latents).images)


def test_widths_are_one_for_each_block() -> None:
    with pytest.raises(UserError, match="2 widths are given for 3 blocks"):
        StyleGAN2Config(resolution=16, widths=(8, 8))
