"""Writing and opening generators' files."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from squeezespan.errors import UserError
from squeezespan.generators import load_generator, read_generator_header, save_generator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.randomness import StepRandom

CONFIG = StyleGAN2Config(
    resolution=8, z_dim=4, w_dim=6, channel_base=64, channel_max=8, mapping_layers=1
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    save_generator(path, StyleGAN2Generator(CONFIG), {"data": "none", "kimg": 1.5})
    return path


def test_round_trip_gives_the_same_images(file: Path) -> None:
    torch.manual_seed(0)
    original = StyleGAN2Generator(CONFIG).eval()
    opened = load_generator(file)
    latents = original.sample_latents(2, StepRandom(0))
    assert torch.equal(original(latents).images, opened(latents).images)
    assert opened.info == original.info
    assert not any(parameter.requires_grad for parameter in opened.parameters())
    assert not opened.training
    assert read_generator_header(file)["provenance"] == {"data": "none", "kimg": 1.5}


def test_a_training_folder_stands_for_its_generator(file: Path, tmp_path: Path) -> None:
    file.rename(tmp_path / "generator.safetensors")
    assert load_generator(tmp_path).info.resolution == 8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.safetensors", "there is no checkpoint file .*absent"),
        ("builtin:nothing", "there is no builtin:nothing"),
        (".", "is a folder without generator.safetensors"),
    ],
)
def test_what_is_not_there_is_named(name: str, message: str, tmp_path: Path) -> None:
    given = name if name.startswith("builtin") else tmp_path / name
    with pytest.raises(UserError, match=message):
        load_generator(given)


def test_foreign_and_damaged_files_are_refused(file: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise.safetensors"
    noise.write_bytes(b"not safetensors at all" * 10)
    with pytest.raises(UserError, match="is not a checkpoint"):
        load_generator(noise)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        load_generator(cut)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(UserError, match="it is not a GAN's checkpoint"):
        load_generator(foreign)
    student = tmp_path / "student.safetensors"
    header = {"squeezespan": json.dumps({"kind": "backbone"})}
    save_file({"weight": torch.zeros(2)}, student, metadata=header)
    with pytest.raises(UserError, match="holds a backbone, not a generator"):
        load_generator(student)
    lacking = tmp_path / "lacking.safetensors"
    described = {"kind": "generator", "family": "stylegan2", "config": {"resolution": 8}}
    save_file({"w": torch.zeros(2)}, lacking, metadata={"squeezespan": json.dumps(described)})
    with pytest.raises(UserError, match=r"has an odd header|do not fit its sizes"):
        load_generator(lacking)
