"""A module of one's own as a generator: features by hooks or returned, and distilled from."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import make_images, tiny_config
from torch import Tensor, nn

from squeezespan import StepRandom, UserError, distill, load_generator, register_generator
from squeezespan.gan.samples import sample_images
from squeezespan.generators import read_generator_header, save_generator
from squeezespan.generators.base import Latents


class Painter(nn.Module):
    """Linear layer to 4x4, then three times up; a side branch that must not count."""

    def __init__(self, num_classes: int = 0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(num_classes, 6) if num_classes else None
        self.start = nn.Linear(6, 12 * 16)
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2),
                nn.Conv2d(12 if i == 0 else 8, 8, 3, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU(inplace=True),
            )
            for i in range(3)
        )
        self.gate = nn.AdaptiveAvgPool2d(4)
        self.shape = nn.Unflatten(1, (12, 4, 4))
        self.to_rgb = nn.Conv2d(8, 3, 1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embed is not None:
            z = z + self.embed(labels)
        x = self.shape(self.start(z))
        for block in self.up:
            x = block(x)
        x = x * self.gate(x).mean(dim=(2, 3), keepdim=True).sigmoid()
        return torch.tanh(self.to_rgb(x))


class Telling(Painter):
    """The same, and returns its maps in a form of the maker's choice."""

    def __init__(self, form: Callable[[dict[str, Tensor]], Any]) -> None:
        super().__init__()
        self.form = form

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Any:
        x = self.shape(self.start(z))
        maps = {"first": x}
        for i, block in enumerate(self.up):
            x = block(x)
            maps[f"up{i}"] = x
        return torch.tanh(self.to_rgb(x)), self.form(maps)


BLOCKS = {"b4": 12, "b8": 8, "b16": 8, "b32": 8}


def test_hooks_take_the_last_map_of_each_resolution() -> None:
    network = Painter().train()
    generator = load_generator(register_generator("painter", network, z_shape=6))
    assert generator.info.block_channels == BLOCKS
    assert (generator.info.resolution, generator.info.z_dim) == (32, 6)
    latents = generator.sample_latents(3, StepRandom(0))
    generated = generator(latents)
    with torch.no_grad():
        x = network.eval().shape(network.start(latents.z))
        assert torch.equal(generated.features["b4"], x)
        for block, name in zip(network.up, ["b8", "b16", "b32"], strict=True):
            x = block(x)
            assert torch.equal(generated.features[name], x)
        assert torch.equal(generated.images, network(latents.z))
    assert not any(module._forward_hooks for module in generator.modules())


def test_the_network_itself_is_left_alone() -> None:
    network = Painter().train()
    gan = register_generator("painter", network, z_shape=6)
    opened = load_generator(gan)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(parameter.requires_grad for parameter in opened.parameters())
    opened.set_compute_dtype(torch.bfloat16)
    again = load_generator(gan)
    latents = again.sample_latents(2, StepRandom(0))
    assert again(latents).features["b32"].dtype == torch.float32
    assert opened(latents).features["b32"].dtype == torch.bfloat16


def as_list(maps: dict[str, Tensor]) -> list[Tensor]:
    return list(maps.values())


@pytest.mark.parametrize("form", [dict, as_list])
def test_returned_maps_are_taken(form: Callable[[dict[str, Tensor]], Any]) -> None:
    generator = load_generator(register_generator("telling", Telling(form), z_shape=6))
    assert generator.info.block_channels == BLOCKS
    by_hooks = load_generator(register_generator("painter", Painter(), z_shape=6))
    latents = generator.sample_latents(2, StepRandom(0))
    for name, feature in by_hooks(latents).features.items():
        assert torch.equal(generator(latents).features[name], feature)


def test_named_layers_alone_are_taken() -> None:
    gan = register_generator("some", Painter(), z_shape=6, layers=["up.0.1", "up.2"])
    assert load_generator(gan).info.block_channels == {"b8": 8, "b32": 8}
    with pytest.raises(UserError, match=r"no submodule 'up\.7'"):
        register_generator("some", Painter(), z_shape=6, layers=["up.7"])


def test_classes_z_s_shape_and_the_images_range() -> None:
    generator = load_generator(
        register_generator("classes", Painter(3), z_shape=(6,), num_classes=3, image_range=(0, 1))
    )
    latents = generator.sample_latents(2, StepRandom(0), labels=1)
    plain = Painter(3).eval()
    with torch.no_grad():
        images = plain(latents.z, latents.labels)
    assert torch.allclose(generator(latents).images, images * 2 - 1)
    with pytest.raises(UserError, match="give class labels"):
        generator(Latents(latents.z, None))


def test_odd_registrations_are_refused() -> None:
    with pytest.raises(UserError, match="give z_shape"):
        register_generator("painter", Painter())
    with pytest.raises(UserError, match="name is letters"):
        register_generator("../painter", Painter(), z_shape=6)
    with pytest.raises(UserError, match="square images"):
        register_generator("flat", nn.Linear(6, 4), z_shape=6)
    odd: list[tuple[dict[str, Any], str]] = [
        ({"z_shape": (6, 0)}, "z_shape"),
        ({"z_shape": 6, "num_classes": -1}, "num_classes is -1"),
        ({"z_shape": 6, "image_range": (1,)}, "image_range must go from black to white"),
    ]
    for settings, message in odd:
        with pytest.raises(UserError, match=message):
            register_generator("painter", Painter(), **settings)
    alone = nn.Sequential(nn.Unflatten(1, (6, 1, 1)), nn.ConvTranspose2d(6, 3, 8))
    with pytest.raises(UserError, match="shows no feature maps"):
        register_generator("alone", alone, z_shape=6)
    with pytest.raises(UserError, match="no generator is registered as 'nobody'"):
        load_generator("registered:nobody")


class Stripes(nn.Module):
    """Has no parameter."""

    def forward(self, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        images = z[:, :3, None, None].expand(-1, -1, 8, 8)
        return images, [z[:, :, None, None].expand(-1, -1, 4, 4)]


def test_a_network_without_parameters_can_be_sampled() -> None:
    generator = load_generator(register_generator("stripes", Stripes(), z_shape=6))
    assert sample_images(generator, 5).shape == (5, 3, 8, 8)


def test_it_has_a_header_but_no_file(tmp_path: Path) -> None:
    gan = register_generator("painter", Painter(), z_shape=6)
    header = read_generator_header(gan)
    assert header["family"] == "custom"
    assert header["provenance"]["class"].endswith("Painter")
    with pytest.raises(UserError, match="cannot be written as safetensors"):
        save_generator(tmp_path / "painter.safetensors", load_generator(gan), {})
    with pytest.raises(UserError, match="only AutoGAN has a genotype"):
        load_generator(gan, genotype="a")


def test_a_student_learns_from_it_and_its_run_goes_on(tmp_path: Path) -> None:
    gan = register_generator("painter", Painter(), z_shape=6)
    config = tiny_config(
        make_images(tmp_path / "images"),
        Path("unused"),
        train={"max_steps": 2},
        source={"blocks": "b8-b16"},
        monitor={"knn_every": 0},
    )
    config = dataclasses.replace(config, gan=gan)
    run = distill(config, tmp_path / "run")
    assert (run / "student.safetensors").is_file()
    assert "registered:painter" in (run / "report.html").read_text(encoding="utf-8")

    student = (run / "student.safetensors").read_bytes()
    max((run / "checkpoints").iterdir()).unlink()
    (run / "student.safetensors").unlink()
    register_generator("painter", Painter(), z_shape=6)
    distill(config, run, resume=True)
    assert (run / "student.safetensors").read_bytes() == student

    (run / "student.safetensors").unlink()
    other = Painter()
    torch.nn.init.zeros_(other.to_rgb.weight)
    register_generator("painter", other, z_shape=6)
    with pytest.raises(UserError, match="registered:painter is another"):
        distill(config, run, resume=True)


def test_a_generator_of_the_protocol_needs_nothing_else() -> None:
    painter = load_generator(register_generator("painter", Painter(), z_shape=6))
    again = load_generator(register_generator("again", painter))
    latents = again.sample_latents(2, StepRandom(0))
    assert torch.equal(again(latents).images, painter(latents).images)
