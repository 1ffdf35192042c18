"""Views of a batch: drawn per image, reproducible, distributed as torchvision's."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import ColorJitter, RandomResizedCrop
from torchvision.transforms.v2.functional import resize

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment, weaker
from squeezespan.data.crop import draw_boxes
from squeezespan.errors import UserError
from squeezespan.randomness import StepRandom

_EVERYTHING = AugmentConfig(blur=0.5)


def _images(n: int = 16, side: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, 3, side, side), generator=generator, dtype=torch.uint8)


def _largest_distribution_gap(first: Tensor, second: Tensor) -> float:
    """Kolmogorov and Smirnov's statistic of two samples."""
    first, second = first.double().sort().values, second.double().sort().values
    points = torch.cat([first, second])
    below_first = torch.searchsorted(first, points, right=True) / len(first)
    below_second = torch.searchsorted(second, points, right=True) / len(second)
    return float((below_first - below_second).abs().max())


def test_a_weaker_augmentation_is_so_much_nearer_to_flips_alone() -> None:
    config = AugmentConfig(blur=0.5, solarize=0.2, crop_ratio=(0.5, 2.0))
    assert weaker(config, 1.0) is config
    half = AugmentConfig(
        crop_scale=(0.6, 1.0),
        crop_ratio=(0.75, 1.5),
        jitter=0.4,
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
        hue=0.05,
        grayscale=0.1,
        blur=0.25,
        solarize=0.1,
    )
    assert weaker(config, 0.5) == half
    images = torch.rand(8, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    views = Augment(weaker(config, 0.0), 12)(images, StepRandom(0))
    kept = [torch.allclose(a, b, atol=1e-6) for a, b in zip(views, images, strict=True)]
    flipped = [torch.allclose(a, b.flip(2), atol=1e-6) for a, b in zip(views, images, strict=True)]
    assert all(a != b for a, b in zip(kept, flipped, strict=True))
    assert any(flipped)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (40, 100)])
def test_boxes_are_distributed_as_torchvisions(height: int, width: int) -> None:
    n = 3000
    torch.manual_seed(0)
    image = torch.empty(3, height, width)
    theirs = torch.tensor(
        [RandomResizedCrop.get_params(image, [0.2, 1.0], [3 / 4, 4 / 3]) for _ in range(n)]
    )
    ours = draw_boxes(n, height, width, StepRandom(0), scale=(0.2, 1.0))
    assert (ours[:, :2] >= 0).all()
    assert (ours[:, 0] + ours[:, 2] <= height).all()
    assert (ours[:, 1] + ours[:, 3] <= width).all()
    # 1 % of samples of this size differ by more than 0.042 when the distributions are equal.
    for column in range(4):
        assert _largest_distribution_gap(ours[:, column], theirs[:, column]) < 0.05
    area = [boxes[:, 2] * boxes[:, 3] for boxes in (ours, theirs)]
    aspect = [boxes[:, 3] / boxes[:, 2] for boxes in (ours, theirs)]
    assert _largest_distribution_gap(*area) < 0.05
    assert _largest_distribution_gap(*aspect) < 0.05


def test_box_of_an_image_that_no_allowed_box_fits() -> None:
    boxes = draw_boxes(5, 4, 400, StepRandom(0), scale=(1.0, 1.0))
    image = torch.empty(3, 4, 400)
    expected = RandomResizedCrop.get_params(image, [1.0, 1.0], [3 / 4, 4 / 3])
    assert boxes.tolist() == [list(expected)] * 5


def test_color_factors_are_distributed_as_torchvisions() -> None:
    n = 3000
    config = AugmentConfig(jitter=1.0, brightness=0.4, contrast=1.5, saturation=0.2, hue=0.1)
    drawn = Augment(config, 32).draw(n, 32, 32, StepRandom(0))
    jitter = ColorJitter(0.4, 1.5, 0.2, 0.1)
    torch.manual_seed(0)
    theirs = [
        jitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)
        for _ in range(n)
    ]
    for column in range(4):
        expected = torch.tensor([factors[1 + column] for factors in theirs])
        assert _largest_distribution_gap(drawn.factors[:, column], expected) < 0.05
    orders = torch.unique(drawn.order, dim=0, return_counts=True)
    assert len(orders[0]) == 24
    assert int(orders[1].min()) > n / 24 * 0.6


def test_probabilities() -> None:
    drawn = Augment(_EVERYTHING, 32).draw(4000, 32, 32, StepRandom(3))
    jittered = (drawn.factors != torch.tensor([1.0, 1.0, 1.0, 0.0])).any(1)
    blurred = drawn.sigma > 0
    for happened, share in ((drawn.flip, 0.5), (jittered, 0.8), (drawn.grayscale, 0.2)):
        assert float(happened.float().mean()) == pytest.approx(share, abs=0.03)
    assert float(blurred.float().mean()) == pytest.approx(0.5, abs=0.03)
    assert 0.1 <= float(drawn.sigma[blurred].min()) <= float(drawn.sigma.max()) <= 2.0


class Lowest(StepRandom):
    """Draws the lowest numbers that can be."""

    def uniform(self, n: int, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.full((n, *shape), low)


def test_what_has_no_probability_never_happens() -> None:
    config = AugmentConfig(flip=0.0, jitter=0.0, grayscale=0.0, blur=0.0)
    drawn = Augment(config, 32).draw(2, 32, 32, Lowest(0))
    assert not drawn.flip.any()
    assert not drawn.grayscale.any()
    assert drawn.sigma.tolist() == [0.0, 0.0]
    assert drawn.factors.tolist() == [[1.0, 1.0, 1.0, 0.0]] * 2


@pytest.mark.parametrize("resolution", [32, 20, 48])
def test_views(resolution: int) -> None:
    views = Augment(_EVERYTHING, resolution)(_images(), StepRandom(0))
    assert views.shape == (16, 3, resolution, resolution)
    assert views.dtype == torch.float32
    assert views.is_contiguous()
    assert 0 <= float(views.min()) < float(views.max()) <= 1


def test_each_image_gets_its_own_view() -> None:
    views = Augment(_EVERYTHING, 32)(_images(1).expand(16, -1, -1, -1), StepRandom(0))
    assert len(torch.unique(views.flatten(1), dim=0)) == 16


def test_same_step_gives_same_views() -> None:
    augment = Augment(_EVERYTHING, 32)
    first = augment(_images(), StepRandom(0, 5, stream="real"))
    assert torch.equal(first, augment(_images(), StepRandom(0, 5, stream="real")))
    assert not torch.equal(first, augment(_images(), StepRandom(0, 6, stream="real")))


def test_two_processes_make_the_views_of_one() -> None:
    augment = Augment(_EVERYTHING, 32)
    whole = augment(_images(), StepRandom(0))
    halves = [
        augment(part, StepRandom(0, rank=rank, world_size=2))
        for rank, part in enumerate(_images().chunk(2))
    ]
    torch.testing.assert_close(torch.cat(halves), whole, rtol=0, atol=1e-6)


def test_float_images_give_the_views_of_eight_bit_ones() -> None:
    augment = Augment(_EVERYTHING, 32)
    from_bytes = augment(_images(), StepRandom(0))
    from_floats = augment(_images().float() / 255, StepRandom(0))
    torch.testing.assert_close(from_floats, from_bytes, rtol=0, atol=1e-5)


def test_autocast_does_not_reach_the_views() -> None:
    augment = Augment(_EVERYTHING, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        views = augment(_images(), StepRandom(0))
    assert torch.equal(views, augment(_images(), StepRandom(0)))


def test_images_given_are_not_changed() -> None:
    images = _images().float() / 255
    before = images.clone()
    Augment(_EVERYTHING, 32)(images, StepRandom(0))
    assert torch.equal(images, before)


def test_disabled_only_resizes() -> None:
    config = AugmentConfig(enabled=False)
    images = _images()
    assert torch.equal(Augment(config, 32)(images, StepRandom(0)), images.float() / 255)
    floats = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.equal(Augment(config, 32)(floats, StepRandom(0)), floats)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (40, 21), (20, 41)])
def test_disabled_takes_the_centre_square_and_resizes_it(height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (4, 3, height, width), generator=generator, dtype=torch.uint8)
    images[0], images[1] = 255, 0
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[:, :, top : top + side, left : left + side].float() / 255
    expected = resize(square, [16, 16], antialias=True)
    augment = Augment(AugmentConfig(enabled=False), 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        views = augment(images, StepRandom(0))
    torch.testing.assert_close(views, expected, rtol=0, atol=1e-5)
    assert float(views.min()) == 0.0
    assert float(views.max()) <= 1.0
    outside = torch.tensor([2.0, -1.0])[:, None, None, None].expand(2, 3, 32, 32)
    assert augment(outside, StepRandom(0)).mean((1, 2, 3)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (AugmentConfig(flip=1.5), "flip"),
        (AugmentConfig(jitter=-0.1), "jitter"),
        (AugmentConfig(contrast=-1.0), "contrast"),
        (AugmentConfig(hue=0.6), "hue"),
        (AugmentConfig(crop_scale=(0.0, 1.0)), "crop_scale"),
        (AugmentConfig(blur_sigma=(0.0, 1.0)), "blur_sigma"),
    ],
)
def test_impossible_settings_are_refused(config: AugmentConfig, word: str) -> None:
    with pytest.raises(UserError, match=rf"^augment: {word} is "):
        Augment(config, 32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_gpu_gives_the_views_of_the_cpu() -> None:
    augment = Augment(_EVERYTHING, 32)
    expected = augment(_images(), StepRandom(0))
    torch.testing.assert_close(
        augment(_images().cuda(), StepRandom(0)).cpu(), expected, rtol=0, atol=1e-4
    )
    assert augment(_images().cuda(), StepRandom(0, device="cuda")).is_cuda
