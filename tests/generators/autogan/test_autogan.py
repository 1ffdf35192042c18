"""AutoGAN against the reference's vectors, and what its users can rely on."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from golden_vectors import TOLERANCE, Golden, describe, pooled_error, read_golden

from squeezespan import load_generator
from squeezespan.errors import UserError
from squeezespan.generators.autogan import AutoGANConfig, AutoGANGenerator, config_from_state
from squeezespan.generators.autogan.genotype import VARIANTS, parse_genotype
from squeezespan.generators.base import Latents

FOLDERS = ["autogan", "autogan_c", "autogan_stl10", "autogan_derived", "autogan_derived_post"]


def generator_of(golden: Golden) -> AutoGANGenerator:
    config = config_from_state(golden.weights, genotype=golden.config.get("arch"))
    generator = AutoGANGenerator(config).eval().requires_grad_(False)
    generator.load_state_dict(golden.weights, strict=True)
    return generator


@pytest.mark.parametrize("name", FOLDERS)
def test_matches_reference(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = read_golden(shared, name)
    generator = generator_of(golden)
    generated = generator(golden.latents)
    errors = golden.errors(generated)
    with capsys.disabled():
        print(describe(name, errors))
    assert max(errors.values()) < TOLERANCE
    assert list(generated.features) == list(generator.info.block_channels)
    assert torch.equal(generated.w[:, 0], golden.vectors["z"])


@pytest.mark.parametrize("name", FOLDERS)
def test_sizes_follow_from_the_weights(name: str, shared: Path) -> None:
    golden = read_golden(shared, name)
    arguments = golden.config["constructor"]
    config = generator_of(golden).config
    assert config.width == arguments["gf_dim"]
    assert config.bottom_width == arguments["bottom_width"]
    assert config.z_dim == arguments["latent_dim"]
    assert AutoGANConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


@pytest.mark.parametrize("variant", ["a", "b", "c"])
def test_variant_follows_from_the_layers(variant: str) -> None:
    config = AutoGANConfig(z_dim=8, width=4, genotype=VARIANTS[variant])
    assert config_from_state(AutoGANGenerator(config).state_dict()) == config


def test_upsampling_is_assumed_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = AutoGANConfig(z_dim=8, width=4, genotype=VARIANTS["b"])
    torch.save(AutoGANGenerator(config).state_dict(), tmp_path / "b.pth")
    load_generator(tmp_path / "b.pth")
    assert "assumed: upsampling nearest, nearest, nearest" in capsys.readouterr().err
    load_generator(tmp_path / "b.pth", genotype="b")
    assert capsys.readouterr().err == ""


def test_released_search_result_is_variant_a(shared: Path) -> None:
    assert tuple(read_golden(shared, "autogan_derived").config["arch"]) == VARIANTS["a"]


def test_super_network_asks_for_its_genotype(shared: Path) -> None:
    with pytest.raises(UserError, match="genotype"):
        config_from_state(read_golden(shared, "autogan_derived").weights)


def test_genotype_of_another_variant_is_refused() -> None:
    state = AutoGANGenerator(AutoGANConfig(z_dim=8, width=4)).state_dict()
    with pytest.raises(UserError, match="another variant"):
        config_from_state(state, genotype="b")


@pytest.mark.parametrize("genotype", ["d", [1, 0, 1], [9] * 14, [1] * 13 + [4], [0.5] * 14])
def test_impossible_genotypes_are_refused(genotype: Sequence[int] | str) -> None:
    with pytest.raises(UserError, match="14 numbers"):
        parse_genotype(genotype)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("l1.weight", "it lacks l1.weight"),
        ("to_rgb.2.weight", "it lacks to_rgb.2.weight"),
        ("cell2.c1.weight", "variant a, b or c"),
        ("cell1.c_sc.weight", "variant a, b or c"),
        ("cell3.skip_in_ops.1.weight", "variant a, b or c"),
    ],
)
def test_foreign_weights_are_refused(lost: str, message: str) -> None:
    state = dict(AutoGANGenerator(AutoGANConfig(z_dim=8, width=4)).state_dict())
    del state[lost]
    with pytest.raises(UserError, match=message):
        config_from_state(state)


def test_labels_are_refused() -> None:
    generator = AutoGANGenerator(AutoGANConfig(z_dim=8, width=4))
    with pytest.raises(UserError, match="unconditional"):
        generator(Latents(torch.zeros(2, 8), torch.zeros(2, dtype=torch.int64)))


@pytest.mark.parametrize("name", ["autogan", "autogan_derived_post"])
def test_bf16_features_stay_close(
    name: str, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    golden = read_golden(shared, name)
    generator = generator_of(golden)
    exact = generator(golden.latents).features
    generator.set_compute_dtype(torch.bfloat16)
    generated = generator(golden.latents)
    errors = pooled_error(generated.features, exact)
    with capsys.disabled():
        print(describe(f"{name} in bf16, pooled features", errors))
    assert generated.images.dtype == torch.float32
    assert generated.features["b32"].dtype == torch.bfloat16
    assert max(errors.values()) < 2e-2
