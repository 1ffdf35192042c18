"""The discriminator's augmentation pipeline."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from squeezespan.gan.augment import _Draws, _GridSample, _warp, augment_bgc
from squeezespan.randomness import StepRandom


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(0)
    coarse = torch.randn(6, 3, 4, 4)
    return torch.nn.functional.interpolate(coarse, 16, mode="bicubic").clamp(-1, 1)


def test_off_means_untouched(images: torch.Tensor) -> None:
    assert augment_bgc(images, 0.0, StepRandom(0)) is images


def test_neutral_geometry_gives_the_image_back(images: torch.Tensor) -> None:
    warped = _warp(images, torch.eye(3).expand(6, 3, 3))
    # Up by the wavelet filter, bilinear sampling on the same grid, and down again loses little.
    assert (warped - images).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[-1.0, 0, 0], [0, 1, 0], [0, 0, 1]], lambda x: x.flip(3)),
        ([[0, -1.0, 0], [1, 0, 0], [0, 0, 1]], lambda x: torch.rot90(x, 1, (2, 3))),
    ],
)
def test_flips_and_quarter_turns_are_exact_permutations(
    images: torch.Tensor, matrix: list[list[float]], expected: object
) -> None:
    assert callable(expected)
    warped = _warp(images, torch.tensor(matrix).expand(6, 3, 3))
    assert (warped - expected(images)).abs().mean() < 0.03


def test_translation_moves_by_whole_pixels(images: torch.Tensor) -> None:
    matrix = torch.tensor([[1.0, 0, -2], [0, 1, 0], [0, 0, 1]]).expand(6, 3, 3)
    warped = _warp(images, matrix)
    assert (warped[..., 2:] - images[..., :-2]).abs().mean() < 0.02


def test_share_of_changed_images_follows_p(images: torch.Tensor) -> None:
    batch = images.repeat(100, 1, 1, 1)
    reference = _warp(batch, torch.eye(3).expand(len(batch), 3, 3))
    for p in (0.02, 0.3):
        out = augment_bgc(batch, p, StepRandom(1))
        changed = ((out - reference).abs().amax(dim=(1, 2, 3)) > 0.05).float().mean()
        # Thirteen operations, a few of which may draw their neutral value.
        assert 1 - (1 - p) ** 8 < changed < 1 - (1 - p) ** 14 + 0.03


@pytest.mark.parametrize("draw", [_Draws.uniform_pair, _Draws.normal_pair])
def test_both_directions_of_a_shift_come_together(draw: Callable[..., Any]) -> None:
    x, y = draw(_Draws(2000, StepRandom(3)), 0.3, 1.0)
    assert torch.equal(x != 0, y != 0)
    assert (x != 0).float().mean() == pytest.approx(0.3, abs=0.04)
    assert not torch.equal(x, y)


def test_gradient_of_gradient_is_right() -> None:
    torch.manual_seed(0)
    grid = torch.rand(2, 3, 3, 2, dtype=torch.float64) * 2 - 1
    images = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)

    def squared(x: torch.Tensor) -> torch.Tensor:
        sampled: torch.Tensor = _GridSample.apply(x, grid)
        return sampled.square()

    assert torch.autograd.gradcheck(squared, images)
    assert torch.autograd.gradgradcheck(squared, images)


def test_gray_stays_gray_under_hue_and_saturation(images: torch.Tensor) -> None:
    gray = images.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    out = augment_bgc(gray, 1.0, StepRandom(2))
    assert (out - out.mean(dim=1, keepdim=True)).abs().max() < 1e-4
