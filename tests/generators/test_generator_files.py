"""Writing and opening generators' files."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files.networks import make_network
from safetensors.torch import save_file

from squeezespan.discriminators.files import load_discriminator
from squeezespan.errors import UserError
from squeezespan.generators import load_generator, read_generator_header, save_generator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.randomness import StepRandom
from squeezespan.untrusted.safetensors import save_network

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


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (2, {"in_size": 64}, "but the layer before gives"),
        (2, {"in_sampling_rate": 8}, "but the layer before gives"),
        (-1, {"out_size": 18}, "its last layer gives 3 channels of 18 pixels"),
        (None, {"resolution": 32}, "its last layer gives 3 channels of 16 pixels"),
        (None, {"input_size": 18}, "but the layer before gives"),
    ],
)
def test_a_stylegan3_whose_layers_do_not_meet_is_refused(
    place: int | None, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    generator = make_network("stylegan3_r")
    assert isinstance(generator, StyleGAN3Generator)
    config = asdict(generator.config)
    changed = config if place is None else config["layers"][place]
    changed.update(change)
    header = {"kind": "generator", "family": "stylegan3", "config": config, "provenance": {}}
    save_network(tmp_path / "odd.safetensors", generator, header)
    with pytest.raises(UserError, match=message):
        load_generator(tmp_path / "odd.safetensors")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    pipe, zeros, loop = tmp_path / "pipe.pkl", tmp_path / "zeros.pkl", tmp_path / "loop.pkl"
    os.mkfifo(pipe)
    zeros.symlink_to("/dev/zero")
    loop.symlink_to(loop)
    for path, message in (
        (pipe, "pipe.pkl is a named pipe, not a checkpoint file"),
        (zeros, "zeros.pkl is a device, not a checkpoint file"),
        (loop, "loop.pkl cannot be read: Too many levels"),
    ):
        for load in (load_generator, load_discriminator):
            with pytest.raises(UserError, match=message):
                load(path)
