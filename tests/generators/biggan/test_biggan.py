"""BigGAN against the reference's vectors, and what its users can rely on."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from golden_vectors import (
    TOLERANCE,
    Golden,
    describe,
    pooled_error,
    read_golden,
    relative_error,
)
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.base import Latents
from squeezespan.generators.biggan import BigGANConfig, BigGANGenerator, config_from_state
from squeezespan.randomness import StepRandom

FOLDERS = ["biggan_diffaugment", "biggan_shared_hier_attn", "biggan_mybn"]
TINY = BigGANConfig(z_dim=8, num_classes=3, widths=(8, 8, 4))


def generator_of(golden: Golden, *, batch_statistics: bool = False) -> BigGANGenerator:
    config = config_from_state(golden.weights, batch_statistics=batch_statistics)
    generator = BigGANGenerator(config).eval().requires_grad_(False)
    generator.load_state_dict(golden.weights, strict=True)
    return generator


@pytest.mark.parametrize("name", FOLDERS)
def test_matches_reference(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = read_golden(shared, name)
    generated = generator_of(golden)(golden.latents)
    errors = golden.errors(generated)
    batch = generator_of(golden, batch_statistics=True)(golden.latents)
    errors["image, batch statistics"] = relative_error(
        batch.images, golden.vectors["trainmode_image"]
    )
    with capsys.disabled():
        print(describe(name, errors))
    assert max(errors.values()) < TOLERANCE
    assert torch.equal(generated.w[:, 0], golden.vectors["z"])


@pytest.mark.parametrize("name", FOLDERS)
def test_config_follows_from_the_weights(name: str, shared: Path) -> None:
    golden = read_golden(shared, name)
    arguments = golden.config["constructor"]
    arch = golden.config["arch"]
    config = config_from_state(golden.weights)
    assert config == BigGANConfig(
        z_dim=golden.config["dim_z_effective"],
        num_classes=arguments["n_classes"],
        bottom_width=arguments["bottom_width"],
        widths=(arch["in_channels"][0], *arch["out_channels"]),
        shared_dim=arguments["shared_dim"],
        hierarchical=arguments["hier"],
        attention_blocks=tuple(
            i for i, attends in enumerate(arch["attention"].values()) if attends
        ),
        statistics_submodule=arguments["mybn"],
    )
    assert BigGANConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_forward_pass_changes_no_weight_or_statistic(shared: Path) -> None:
    golden = read_golden(shared, "biggan_diffaugment")
    generator = generator_of(golden, batch_statistics=True).train()
    first = generator(golden.latents).images
    assert torch.equal(generator(golden.latents).images, first)
    assert all(
        torch.equal(tensor, golden.weights[name]) for name, tensor in generator.state_dict().items()
    )


def test_image_depends_on_its_batch_only_with_batch_statistics() -> None:
    for batch_statistics in (False, True):
        config = dataclasses.replace(TINY, batch_statistics=batch_statistics)
        generator = BigGANGenerator(config).eval().requires_grad_(False)
        latents = generator.sample_latents(4, StepRandom(0))
        whole = generator(latents).images[:2]
        part = generator(latents.slice(0, 2)).images
        assert torch.allclose(whole, part, atol=1e-6) is not batch_statistics


def test_network_without_spectral_norm_opens() -> None:
    plain = BigGANGenerator(dataclasses.replace(TINY, power_iterations=0))
    state = plain.state_dict()
    assert config_from_state(state) == plain.config
    assert not any(name.endswith(("u0", "sv0")) for name in state)
    assert plain(plain.sample_latents(2, StepRandom(0))).images.shape == (2, 3, 16, 16)


def test_bf16_features_stay_close(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = read_golden(shared, "biggan_shared_hier_attn")
    generator = generator_of(golden)
    exact = generator(golden.latents).features
    generator.set_compute_dtype(torch.bfloat16)
    generated = generator(golden.latents)
    errors = pooled_error(generated.features, exact)
    with capsys.disabled():
        print(describe("biggan in bf16, pooled features", errors))
    assert generated.images.dtype == torch.float32
    assert generated.features["b32"].dtype == torch.bfloat16
    assert max(errors.values()) < 2e-2


def test_labels_are_required() -> None:
    generator = BigGANGenerator(TINY)
    with pytest.raises(UserError, match="class-conditional"):
        generator(Latents(torch.zeros(2, 8), None))


def several_vectors(state: dict[str, Tensor]) -> None:
    state["linear.u1"] = state["linear.u0"]


def not_square(state: dict[str, Tensor]) -> None:
    state["linear.weight"] = torch.zeros(24, 8)


def flat_convolution(state: dict[str, Tensor]) -> None:
    state["blocks.0.0.conv1.weight"] = torch.zeros(8, 8)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (dict.clear, "blocks.0.0.conv1.weight"),
        (several_vectors, "num_G_SVs"),
        (not_square, "square"),
        (flat_convolution, "shape"),
    ],
)
def test_foreign_weights_are_refused(
    damage: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    state = dict(BigGANGenerator(TINY).state_dict())
    damage(state)
    with pytest.raises(UserError, match=message):
        config_from_state(state)
