"""Normalisation is measured on the images and brings them to mean 0 and spread 1."""

import pytest
import torch

from squeezespan.data.images import ResidentImages
from squeezespan.data.normalize import measure_normalization
from squeezespan.errors import UserError


def _images(n: int) -> ResidentImages:
    generator = torch.Generator().manual_seed(0)
    pixels = (
        torch.randint(256, (n, 3, 8, 8), generator=generator)
        * torch.tensor([1.0, 0.5, 0.2])[:, None, None]
    )
    return ResidentImages("random", [], None, pixels.to(torch.uint8))


def test_measured_over_all_pixels() -> None:
    images = _images(1200)
    measured = measure_normalization(images)
    pixels = images.batch(torch.arange(1200)).double() / 255
    assert measured.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())
    assert measured.std == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist())
    normalized = measured.normalize(pixels)
    assert normalized.mean((0, 2, 3)).tolist() == pytest.approx([0] * 3, abs=1e-6)
    assert normalized.std((0, 2, 3)).tolist() == pytest.approx([1] * 3, abs=1e-4)


def test_a_sample_is_spread_over_the_set() -> None:
    images = _images(900)
    sampled = measure_normalization(images, sample=300)
    third = images.subset(torch.arange(0, 900, 3))
    assert sampled == measure_normalization(third)


def test_a_constant_channel_is_only_centred() -> None:
    pixels = _images(50).batch(torch.arange(50))
    pixels[:, 2] = 255
    measured = measure_normalization(ResidentImages("stains", [], None, pixels))
    assert (measured.mean[2], measured.std[2]) == (1.0, 1.0)
    assert measured.std[0] == pytest.approx(float(pixels[:, 0].double().std(correction=0) / 255))
    assert not measured.normalize(pixels / 255)[:, 2].any()


def test_images_of_one_color() -> None:
    images = ResidentImages("black", [], None, torch.zeros(4, 3, 8, 8, dtype=torch.uint8))
    with pytest.raises(UserError, match="one color"):
        measure_normalization(images)
