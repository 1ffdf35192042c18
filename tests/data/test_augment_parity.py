"""Each operation gives what torchvision's functional form gives for the same parameters."""

import itertools

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as reference

from squeezespan.data.blur import blur_radius, gaussian_blur
from squeezespan.data.color import adjust_hue, color_jitter, to_grayscale
from squeezespan.data.crop import resized_crop


def _images(n: int, height: int = 24, width: int = 20, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 3, height, width, generator=generator)
    # Gray, black, white and saturated pixels are where hue and clamping go wrong.
    images[:, :, 0] = torch.rand(n, 1, width, generator=generator)
    images[:, :, 1, :4] = 0
    images[:, :, 1, 4:8] = 1
    images[:, 0, 2] = 1
    images[:, 1, 2] = images[:, 2, 2]
    return images


def _close(result: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


def _each(images: Tensor, operation: object, *values: Tensor) -> Tensor:
    assert callable(operation)
    rows = [
        operation(images[i], *(value[i].tolist() for value in values)) for i in range(len(images))
    ]
    return torch.stack(rows)


@pytest.mark.parametrize(("height", "width", "size"), [(32, 32, 32), (96, 80, 64), (48, 200, 33)])
def test_resized_crop(height: int, width: int, size: int) -> None:
    generator = torch.Generator().manual_seed(1)
    images = _images(40, height, width)
    box_height = torch.randint(1, height + 1, (40,), generator=generator)
    box_width = torch.randint(1, width + 1, (40,), generator=generator)
    top = (torch.rand(40, generator=generator) * (height - box_height + 1)).long()
    left = (torch.rand(40, generator=generator) * (width - box_width + 1)).long()
    boxes = torch.stack([top, left, box_height, box_width], 1)
    flip = torch.arange(40) % 2 == 0

    expected = []
    for image, box, mirrored in zip(images, boxes.tolist(), flip.tolist(), strict=True):
        view = reference.resized_crop(image, *box, [size, size], antialias=True)
        expected.append(reference.horizontal_flip(view) if mirrored else view)
    result = resized_crop(images, boxes, size, flip)
    _close(result, torch.stack(expected))


def test_eight_bit_images_are_cropped_without_rounding() -> None:
    images = (_images(8) * 255).round().to(torch.uint8)
    boxes = torch.tensor([[3, 2, 11, 17]]).expand(8, 4)
    expected = reference.resized_crop(images.float() / 255, 3, 2, 11, 17, [16, 16], antialias=True)
    _close(resized_crop(images, boxes, 16), expected)


@pytest.mark.parametrize(
    ("column", "operation", "low", "high"),
    [
        (0, reference.adjust_brightness, 0.0, 2.0),
        (1, reference.adjust_contrast, 0.0, 2.0),
        (2, reference.adjust_saturation, 0.0, 2.0),
        (3, reference.adjust_hue, -0.5, 0.5),
    ],
)
def test_one_color_operation(column: int, operation: object, low: float, high: float) -> None:
    images = _images(9)
    values = torch.linspace(low, high, 9)
    factors = torch.tensor([1.0, 1.0, 1.0, 0.0]).repeat(9, 1)
    factors[:, column] = values
    order = torch.arange(4).expand(9, 4)
    expected = _each(images, operation, values)
    _close(color_jitter(images, factors, order), expected)


def test_color_jitter_in_every_order() -> None:
    operations = (
        reference.adjust_brightness,
        reference.adjust_contrast,
        reference.adjust_saturation,
        reference.adjust_hue,
    )
    order = torch.tensor(list(itertools.permutations(range(4))))
    generator = torch.Generator().manual_seed(2)
    factors = torch.rand(24, 4, generator=generator) * torch.tensor([0.8, 0.8, 0.8, 0.2])
    factors += torch.tensor([0.6, 0.6, 0.6, -0.1])
    images = _images(24)
    expected = []
    for image, sequence, factor in zip(images, order.tolist(), factors.tolist(), strict=True):
        view = image
        for index in sequence:
            view = operations[index](view, factor[index])
        expected.append(view)
    result = color_jitter(images, factors, order)
    _close(result, torch.stack(expected))


def test_neutral_factors_leave_images_alone() -> None:
    images = _images(5)
    factors = torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(5, 4)
    assert torch.equal(color_jitter(images, factors, torch.arange(4).expand(5, 4)), images)


def test_hue_of_pure_colors() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    _close(adjust_hue(red, torch.tensor([1 / 3])), green)


def test_grayscale() -> None:
    images = _images(4)
    expected = reference.rgb_to_grayscale(images)
    _close(to_grayscale(images), expected)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (24, 20), (5, 4)])
def test_gaussian_blur(height: int, width: int) -> None:
    images = _images(8, height, width)
    sigma = torch.linspace(0.1, 2.0, 8)
    radius = blur_radius(2.0, height, width)
    kernel = [2 * radius + 1] * 2
    expected = _each(images, lambda image, s: reference.gaussian_blur(image, kernel, [s, s]), sigma)
    _close(gaussian_blur(images, sigma, radius), expected)
