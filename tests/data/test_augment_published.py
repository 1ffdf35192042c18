"""Boxes, parameters and whole views restated image by image, some with torchvision."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as reference

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment, AugmentParameters
from squeezespan.data.blur import blur_radius
from squeezespan.data.crop import BoxNumbers, draw_box_numbers, draw_boxes, place_boxes
from squeezespan.randomness import StepRandom


def box_of(
    numbers: BoxNumbers, row: int, height: int, width: int, ratio: tuple[float, float]
) -> list[int]:
    """Szegedy et al. 2015, as torchvision writes it: ten attempts, then the centre."""
    for share, aspect in zip(numbers.share[row].numpy(), numbers.aspect[row].numpy(), strict=True):
        area = share * np.float32(height * width)
        h, w = round(float(np.sqrt(area / aspect))), round(float(np.sqrt(area * aspect)))
        if 0 < h <= height and 0 < w <= width:
            down, right = numbers.place[row].tolist()
            return [int(down * (height - h + 1)), int(right * (width - w + 1)), h, w]
    h, w = height, width
    if width / height < ratio[0]:
        h = round(width / ratio[0])
    elif width / height > ratio[1]:
        w = round(height * ratio[1])
    return [(height - h) // 2, (width - w) // 2, h, w]


@pytest.mark.parametrize(
    ("height", "width", "scale", "ratio"),
    [
        (32, 32, (0.2, 1.0), (3 / 4, 4 / 3)),
        (31, 17, (0.6, 1.0), (3 / 4, 4 / 3)),
        (11, 43, (0.7, 1.0), (0.5, 1.7)),
        (43, 11, (0.7, 1.0), (0.6, 1.7)),
        (20, 20, (0.9, 1.0), (0.3, 3.0)),
        (2, 2, (0.01, 0.3), (0.1, 10.0)),
    ],
)
def test_boxes_follow_from_what_is_drawn(
    height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float]
) -> None:
    numbers = draw_box_numbers(300, StepRandom(4), scale=scale, ratio=ratio)
    expected = [box_of(numbers, row, height, width, ratio) for row in range(300)]
    assert place_boxes(numbers, height, width).tolist() == expected
    assert place_boxes(numbers[40:43], height, width).tolist() == expected[40:43]
    drawn = draw_boxes(300, height, width, StepRandom(4), scale=scale, ratio=ratio)
    assert drawn.tolist() == expected


def test_ten_boxes_are_drawn_of_uniform_area_and_log_uniform_aspect() -> None:
    numbers = draw_box_numbers(7, StepRandom(4), scale=(0.2, 0.9))
    random = StepRandom(4)
    share = 0.2 + 0.7 * random.uniform(7, 10)
    aspect = (3 / 4) * (16 / 9) ** random.uniform(7, 10)
    torch.testing.assert_close(numbers.share, share)
    torch.testing.assert_close(numbers.aspect, aspect)
    assert torch.equal(numbers.place, random.uniform(7, 2))
    assert numbers.ratio == (3 / 4, 4 / 3)
    images = draw_boxes(7, 30, 40, StepRandom(4), scale=(0.2, 0.9))
    assert torch.equal(images, place_boxes(numbers, 30, 40))


def test_a_box_never_leaves_the_image() -> None:
    """Also where the largest float32 number below 1 is drawn."""
    place = torch.full((1, 2), 1 - 2**-24)
    numbers = BoxNumbers(torch.full((1, 10), 1e-30), torch.ones(1, 10), place, (0.001, 1000.0))
    for side in (*range(1, 70), 2**16 - 1, 2**16, 2**16 + 1, 65521):
        one = BoxNumbers(numbers.share + 1 / side**2, numbers.aspect, place, numbers.ratio)
        assert place_boxes(one, side, side).tolist() == [[side - 1, side - 1, 1, 1]]


def test_parameters_follow_from_what_is_drawn() -> None:
    config = AugmentConfig(
        crop_scale=(0.3, 0.8), crop_ratio=(0.5, 1.1), flip=0.4, jitter=0.7, grayscale=0.3,
        blur=0.6, solarize=0.35,
        brightness=0.3, contrast=1.4, saturation=0.6, hue=0.25, blur_sigma=(0.2, 1.5),
    )  # fmt: skip
    drawn = Augment(config, 16).draw(9, 20, 30, StepRandom(2))
    random = StepRandom(2)
    assert torch.equal(
        drawn.boxes, draw_boxes(9, 20, 30, random, scale=(0.3, 0.8), ratio=(0.5, 1.1))
    )
    jittered = random.uniform(9, 1) < 0.7
    uniform = random.uniform(9, 4)
    ranges = [(0.7, 1.3), (0.0, 2.4), (0.4, 1.6), (-0.25, 0.25)]
    for column, (low, high) in enumerate(ranges):
        factors = torch.where(jittered[:, 0], low + (high - low) * uniform[:, column], column < 3)
        torch.testing.assert_close(drawn.factors[:, column], factors)
    assert torch.equal(drawn.order, random.uniform(9, 4).argsort(1))
    assert torch.equal(drawn.grayscale, random.uniform(9) < 0.3)
    blurred = random.uniform(9) < 0.6
    torch.testing.assert_close(drawn.sigma, (0.2 + 1.3 * random.uniform(9)) * blurred)
    assert torch.equal(drawn.flip, random.uniform(9) < 0.4)
    assert torch.equal(drawn.solarized, random.uniform(9) < 0.35)


def parameters_of(
    n: int, *, gray: bool, blur: bool, jitter: bool, solar: bool
) -> AugmentParameters:
    random = StepRandom(6)
    factors = torch.tensor([1.0, 1.0, 1.0, 0.0]).repeat(n, 1)
    if jitter:
        factors += 0.4 * random.uniform(n, 4, low=-1.0)
    return AugmentParameters(
        boxes=draw_boxes(n, 20, 24, random, scale=(0.2, 1.0)),
        flip=torch.arange(n) % 2 == 0,
        factors=factors,
        order=random.uniform(n, 4).argsort(1),
        grayscale=torch.arange(n) % 3 == (1 if gray else 3),
        sigma=random.uniform(n, low=0.3, high=1.9) * (torch.arange(n) % 4 == (2 if blur else 4)),
        solarized=torch.arange(n) % 5 == (3 if solar else 5),
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"gray": True, "blur": True, "jitter": True, "solar": True},
        {"gray": False, "blur": True, "jitter": False, "solar": False},
        {"gray": True, "blur": False, "jitter": False, "solar": False},
        {"gray": False, "blur": False, "jitter": True, "solar": False},
        {"gray": False, "blur": False, "jitter": False, "solar": True},
    ],
)
@pytest.mark.parametrize("side", [16, 4])
def test_views_are_torchvisions(side: int, settings: dict[str, bool]) -> None:
    n = 12
    pixels = torch.randint(
        256, (n, 3, 20, 24), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    drawn = parameters_of(n, **settings)
    config = AugmentConfig(blur=0.5, jitter=0.3 if settings["jitter"] else 0.0)
    operations = (
        reference.adjust_brightness,
        reference.adjust_contrast,
        reference.adjust_saturation,
        reference.adjust_hue,
    )
    # MoCo-v2 blurs with a kernel of three sigma of the widest blur to each side; a small image
    # cannot be reflected that far.
    kernel = [2 * min(6, side - 1) + 1] * 2
    expected = []
    for row in range(n):
        box = drawn.boxes[row].tolist()
        view = reference.resized_crop(pixels[row] / 255, *box, [side, side], antialias=True)
        for index in drawn.order[row].tolist():
            view = operations[index](view, float(drawn.factors[row, index]))
        if drawn.grayscale[row]:
            view = reference.rgb_to_grayscale(view, num_output_channels=3)
        if drawn.sigma[row] > 0:
            view = reference.gaussian_blur(view, kernel, [float(drawn.sigma[row])] * 2)
        if drawn.solarized[row]:
            view = reference.solarize(view, 128 / 255)
        expected.append(reference.horizontal_flip(view) if drawn.flip[row] else view)
    views = Augment(config, side).apply(pixels, drawn)
    torch.testing.assert_close(views, torch.stack(expected), rtol=0, atol=2e-5)


@pytest.mark.parametrize("pixel", [0, 255])
def test_views_stay_in_range(pixel: int) -> None:
    pixels = torch.full((60, 3, 37, 41), pixel, dtype=torch.uint8)
    random = StepRandom(1)
    drawn = Augment(AugmentConfig(jitter=0.0, grayscale=0.0, blur=0.9), 23).draw(60, 37, 41, random)
    for blur in (True, False):
        sigma = drawn.sigma if blur else torch.zeros(60)
        one = replace(drawn, sigma=sigma)
        views: Tensor = Augment(AugmentConfig(jitter=0.0), 23).apply(pixels, one)
        assert float(views.min()) >= 0.0
        assert float(views.max()) <= 1.0
        torch.testing.assert_close(views, torch.full_like(views, pixel / 255), rtol=0, atol=1e-6)


def test_floats_out_of_range_are_cut_off() -> None:
    images = torch.tensor([2.0, -1.0])[:, None, None, None].expand(2, 3, 9, 9)
    views = Augment(AugmentConfig(jitter=0.0), 9)(images, StepRandom(0))
    assert views.mean((1, 2, 3)).tolist() == [1.0, 0.0]


def test_a_blur_reaches_three_sigma_or_as_far_as_reflection_can() -> None:
    assert blur_radius(2.0, 30, 30) == 6
    assert blur_radius(0.5, 30, 30) == 2
    assert blur_radius(2.0, 4, 30) == 3
    assert blur_radius(2.0, 30, 4) == 3
