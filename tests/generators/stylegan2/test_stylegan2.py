"""The StyleGAN2 generator without any reference at hand."""

import pytest
import torch

from squeezespan.errors import UserError
from squeezespan.generators import pool_features, select_blocks
from squeezespan.generators.base import Latents
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.randomness import StepRandom

SMALL = StyleGAN2Config(
    resolution=16, z_dim=8, w_dim=12, channel_base=128, channel_max=16, mapping_layers=2
)


@pytest.fixture
def generator() -> StyleGAN2Generator:
    torch.manual_seed(0)
    generator = StyleGAN2Generator(SMALL).eval()
    # Fresh networks have zero noise strength, which would hide what the noise does.
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(0.3)
    return generator


def grouped_convolution(weight: torch.Tensor, style: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Modulated convolution as the StyleGAN2 paper writes it, one image at a time."""
    rows = []
    for image, scale in zip(x, style, strict=True):
        modulated = weight * scale[None, :, None, None]
        norm = (modulated.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        rows.append(torch.conv2d(image[None], modulated / norm, padding=1))
    return torch.cat(rows)


def test_dense_modulated_convolution_equals_the_papers_form(generator: StyleGAN2Generator) -> None:
    layer = generator.synthesis.blocks()[1].conv1
    x, w = torch.randn(3, 16, 8, 8), torch.randn(3, 12)
    with torch.no_grad():
        ours = layer(x, w, "none", None)
        expected = grouped_convolution(layer.weight, layer.affine(w), x)
        expected = torch.nn.functional.leaky_relu(expected + layer.bias[:, None, None], 0.2)
    torch.testing.assert_close(ours, expected * 2**0.5, rtol=1e-4, atol=1e-5)


def test_features_are_one_map_a_resolution_coarse_to_fine(generator: StyleGAN2Generator) -> None:
    generated = generator(generator.sample_latents(2, StepRandom(0)))
    shapes = {name: tuple(x.shape) for name, x in generated.features.items()}
    assert shapes == {"b4": (2, 16, 4, 4), "b8": (2, 16, 8, 8), "b16": (2, 8, 16, 16)}
    assert list(generated.features) == ["b4", "b8", "b16"]
    assert generated.images.shape == (2, 3, 16, 16)
    assert generated.w.shape == (2, generator.info.num_ws, 12)


def test_samples_depend_on_seed_and_step_alone(generator: StyleGAN2Generator) -> None:
    first, again, other = (
        generator(generator.sample_latents(2, StepRandom(0, step))).images for step in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_processes_share_the_global_batch(generator: StyleGAN2Generator) -> None:
    def images(rank: int, world_size: int, n: int) -> torch.Tensor:
        random = StepRandom(0, 3, rank=rank, world_size=world_size)
        latents = generator.sample_latents(n, random)
        generated: torch.Tensor = generator(latents, noise="random", random=random).images
        return generated

    with torch.no_grad():
        parts = torch.cat([images(0, 2, 2), images(1, 2, 2)])
        torch.testing.assert_close(parts, images(0, 1, 4), rtol=1e-5, atol=1e-5)


def test_noise_modes_differ(generator: StyleGAN2Generator) -> None:
    latents = generator.sample_latents(1, StepRandom(0))
    const = generator(latents, noise="const").images
    none = generator(latents, noise="none").images
    drawn = generator(latents, noise="random", random=StepRandom(1)).images
    assert not torch.allclose(const, none)
    assert not torch.allclose(const, drawn)


def test_a_noise_mode_that_does_not_exist_is_refused(generator: StyleGAN2Generator) -> None:
    latents = generator.sample_latents(1, StepRandom(0))
    with pytest.raises(UserError, match="noise is 'loud', but must be one of const, random, none"):
        generator(latents, noise="loud")


def test_zero_truncation_gives_the_average_image(generator: StyleGAN2Generator) -> None:
    generator.mapping.w_avg.normal_()
    images = generator(generator.sample_latents(3, StepRandom(0)), truncation=0.0).images
    torch.testing.assert_close(images[0], images[1])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_close(generator: StyleGAN2Generator, dtype: torch.dtype) -> None:
    latents = generator.sample_latents(4, StepRandom(0))
    with torch.no_grad():
        exact = generator(latents)
        generator.set_compute_dtype(dtype)
        rough = generator(latents)
    assert rough.images.dtype == torch.float32
    pooled = pool_features(exact.features, ["b16"])["b16"]
    error = (pool_features(rough.features, ["b16"])["b16"] - pooled).norm() / pooled.norm()
    assert error < 0.02


def test_class_labels_matter_and_are_checked() -> None:
    torch.manual_seed(0)
    config = StyleGAN2Config(
        resolution=8, z_dim=8, w_dim=8, num_classes=3, channel_base=64, channel_max=8
    )
    generator = StyleGAN2Generator(config).eval()
    z = torch.randn(1, 8)
    images = [generator(Latents(z, torch.tensor([label]))).images for label in (0, 1)]
    assert not torch.allclose(*images)
    labels = generator.sample_latents(100, StepRandom(0)).labels
    assert labels is not None
    assert set(labels.tolist()) == {0, 1, 2}
    with pytest.raises(UserError, match="0 to 2"):
        generator.sample_latents(1, StepRandom(0), labels=3)
    for odd in (10**30, ["cat"]):
        with pytest.raises(UserError, match="whole numbers from 0 to 2"):
            generator.sample_latents(1, StepRandom(0), labels=odd)  # type: ignore[arg-type]
    for labels in (torch.tensor([3]), torch.tensor([-1])):
        with pytest.raises(UserError, match="0 to 2"):
            generator(Latents(z, labels))
    with pytest.raises(UserError, match="1 images need 1 whole numbers"):
        generator(Latents(z, torch.tensor([0, 1])))


def test_unconditional_generator_refuses_labels(generator: StyleGAN2Generator) -> None:
    with pytest.raises(UserError, match="unconditional"):
        generator.sample_latents(1, StepRandom(0), labels=0)


@pytest.mark.parametrize(
    ("spec", "chosen"),
    [
        ("all", ["b4", "b8", "b16", "b32"]),
        ("b8-b16", ["b8", "b16"]),
        ("b32,b4", ["b4", "b32"]),
        ("b4, b16-b32", ["b4", "b16", "b32"]),
    ],
)
def test_blocks_are_chosen_by_name(spec: str, chosen: list[str]) -> None:
    assert select_blocks(spec, ["b4", "b8", "b16", "b32"]) == chosen


@pytest.mark.parametrize("spec", ["b64", "b16-b4", "b4-b8-b16", "", "b4-"])
def test_impossible_blocks_are_refused(spec: str) -> None:
    with pytest.raises(UserError):
        select_blocks(spec, ["b4", "b8", "b16", "b32"])
