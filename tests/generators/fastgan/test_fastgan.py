"""FastGAN against the reference's vectors, and what its users can rely on."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from checkpoint_files.fastgan import fastgan_module
from checkpoint_files.persistence import dump, snapshot
from golden_vectors import (
    TOLERANCE,
    Golden,
    describe,
    pooled_error,
    read_golden,
    relative_error,
)
from torch import Tensor

from squeezespan import load_generator
from squeezespan.errors import UserError
from squeezespan.generators import save_generator
from squeezespan.generators.base import Latents
from squeezespan.generators.fastgan import FastGANConfig, FastGANGenerator, config_from_state
from squeezespan.randomness import StepRandom

FOLDERS = ["projected_gan_fastgan", "projected_gan_fastgan_lite_cond"]
TINY = FastGANConfig(resolution=64, z_dim=8, base_width=2)


class Ones(StepRandom):
    """Noise of ones, as one of the reference's runs used."""

    def normal(self, n: int, *shape: int) -> Tensor:
        return torch.ones(n, *shape)


def generator_of(golden: Golden) -> FastGANGenerator:
    generator = FastGANGenerator(config_from_state(golden.weights)).eval().requires_grad_(False)
    generator.load_state_dict(golden.weights, strict=True)
    return generator


@pytest.mark.parametrize("name", FOLDERS)
def test_matches_reference(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = read_golden(shared, name)
    generator = generator_of(golden)
    generated = generator(golden.latents, noise="none")
    errors = golden.errors(generated)
    if "image_noise_one_crop" in golden.vectors:
        images = generator(golden.latents, noise="random", random=Ones(0)).images
        errors["image, noise of ones"] = relative_error(
            images[:, :, 40:72, 40:72], golden.vectors["image_noise_one_crop"]
        )
    with capsys.disabled():
        print(describe(name, errors))
    assert max(errors.values()) < TOLERANCE
    assert list(generated.features) == list(generator.info.block_channels)
    assert torch.equal(generated.w[:, 0], golden.vectors["z"])


@pytest.mark.parametrize("name", FOLDERS)
def test_config_follows_from_the_weights(name: str, shared: Path) -> None:
    golden = read_golden(shared, name)
    arguments = golden.config["constructor"]
    config = config_from_state(golden.weights)
    assert config == FastGANConfig(
        resolution=arguments["img_resolution"],
        z_dim=arguments["z_dim"],
        num_classes=arguments["c_dim"],
        base_width=arguments["ngf"],
        lite=arguments["synthesis_kwargs"]["lite"],
    )
    assert FastGANConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


@pytest.mark.parametrize("resolution", [64, 128, 256, 512, 1024])
@pytest.mark.parametrize("num_classes", [0, 3])
@pytest.mark.parametrize("lite", [False, True])
def test_every_variant_is_recognised(resolution: int, num_classes: int, lite: bool) -> None:
    config = FastGANConfig(
        resolution=resolution, z_dim=4, num_classes=num_classes, base_width=8, lite=lite
    )
    assert config_from_state(FastGANGenerator(config).state_dict()) == config


@pytest.mark.parametrize("num_classes", [0, 3])
def test_noise_modes(num_classes: int) -> None:
    generator = FastGANGenerator(dataclasses.replace(TINY, num_classes=num_classes)).eval()
    for name, parameter in generator.named_parameters():
        if name.endswith((".2.weight", ".6.weight", ".noise.weight")):
            torch.nn.init.ones_(parameter)
    latents = generator.sample_latents(2, StepRandom(0))
    with torch.no_grad():
        constant = generator(latents).images
        none = generator(latents, noise="none").images
        drawn = generator(latents, noise="random", random=StepRandom(1)).images
        assert torch.equal(generator(latents).images, constant)
        assert torch.equal(generator(latents, noise="random", random=StepRandom(1)).images, drawn)
        alone = generator(latents.slice(0, 1)).images
    assert not torch.allclose(constant, none, rtol=1e-2)
    assert not torch.allclose(constant, drawn, rtol=1e-2)
    assert torch.allclose(alone, constant[:1], rtol=1e-3, atol=1e-5)


def test_bf16_features_stay_close(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in FOLDERS:
        golden = read_golden(shared, name)
        generator = generator_of(golden)
        exact = generator(golden.latents, noise="none").features
        generator.set_compute_dtype(torch.bfloat16)
        generated = generator(golden.latents, noise="none")
        errors = pooled_error(generated.features, exact)
        with capsys.disabled():
            print(describe(f"{name} in bf16, pooled features", errors))
        assert generated.images.dtype == torch.float32
        assert generated.features["b128"].dtype == torch.bfloat16
        assert max(errors.values()) < 3e-2


def test_the_class_table_may_have_more_rows_than_there_are_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = FastGANGenerator(dataclasses.replace(TINY, num_classes=10)).eval()
    latents = Latents(torch.randn(2, 8), torch.tensor([0, 2]))
    expected = table(latents).images
    module = fastgan_module(table.state_dict(), dataclasses.replace(TINY, num_classes=3))
    (tmp_path / "G.pkl").write_bytes(dump(snapshot(module)))
    torch.save(table.state_dict(), tmp_path / "G.pth")
    for opened in (
        load_generator(tmp_path / "G.pkl"),
        load_generator(tmp_path / "G.pth", classes=3),
    ):
        assert opened.info.num_classes == 3
        assert torch.equal(opened(latents).images, expected)
        labels = opened.sample_latents(99, StepRandom(0)).labels
        assert labels is not None
        assert int(labels.max()) == 2
    assert capsys.readouterr().err == ""
    save_generator(tmp_path / "G.safetensors", opened, {})
    assert load_generator(tmp_path / "G.safetensors").info.num_classes == 3
    assert load_generator(tmp_path / "G.pth").info.num_classes == 10
    assert "assumed: 10 classes" in capsys.readouterr().err
    with pytest.raises(UserError, match="10 rows, not 11 classes"):
        load_generator(tmp_path / "G.pth", classes=11)
    with pytest.raises(UserError, match="it has 3 classes, not 4"):
        load_generator(tmp_path / "G.safetensors", classes=4)
    torch.save(FastGANGenerator(TINY).state_dict(), tmp_path / "plain.pth")
    with pytest.raises(UserError, match="3 classes are given, but it takes none"):
        load_generator(tmp_path / "plain.pth", classes=3)


def test_truncation_and_missing_labels_are_refused() -> None:
    generator = FastGANGenerator(dataclasses.replace(TINY, num_classes=3)).eval()
    with pytest.raises(UserError, match="truncation"):
        generator(generator.sample_latents(1, StepRandom(0)), truncation=0.7)
    with pytest.raises(UserError, match="class-conditional"):
        generator(Latents(torch.zeros(1, 8), None))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(UserError, match="not 32"):
        FastGANGenerator(FastGANConfig(resolution=32))
    with pytest.raises(UserError, match="no channels"):
        FastGANGenerator(FastGANConfig(resolution=1024, base_width=4))


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("synthesis.init.init.0.weight_orig", None, "it lacks"),
        ("synthesis.to_big.weight_orig", torch.zeros(3, 7, 3, 3), "fit no resolution"),
        ("synthesis.to_big.weight_orig", torch.zeros(3, 7), "has shape"),
    ],
)
def test_foreign_weights_are_refused(name: str, tensor: Tensor | None, message: str) -> None:
    state = dict(FastGANGenerator(TINY).state_dict())
    del state[name]
    if tensor is not None:
        state[name] = tensor
    with pytest.raises(UserError, match=message):
        config_from_state(state)
