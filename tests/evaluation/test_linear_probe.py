"""The linear probe against the same training written out by hand.

Images of one colour look the same whatever the crop and the flip, so the augmented features are
known.
"""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms.functional import hflip, resized_crop, to_pil_image, to_tensor

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.data.crop import draw_box_numbers, place_boxes
from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.data.loading import OriginalImages
from squeezespan.data.order import epoch_order
from squeezespan.data.sources.base import ArraySource
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.linear import (
    LinearProbeConfig,
    linear_probe_config,
    train_linear_probe,
)
from squeezespan.randomness import StepRandom, derive_seed


class Colors(nn.Module):
    """A backbone whose features are the mean color."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images: Tensor) -> Tensor:
        if images.dtype == torch.uint8:
            images = images / 255
        features: Tensor = self.norm(images).mean((2, 3))
        return features


class Halves(nn.Module):
    """A backbone that tells left from right, and in which precision it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.autocast: set[bool] = set()

    def forward(self, images: Tensor) -> Tensor:
        self.autocast.add(torch.is_autocast_enabled("cpu"))
        halves = [half.mean((2, 3)) for half in images.chunk(2, dim=3)]
        return torch.cat(halves, dim=1)


@pytest.fixture
def images() -> ImageSet:
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(24) % 3
    colors = 60 + 120 * torch.eye(3)[labels] + 20 * torch.rand(24, 3, generator=random)
    pixels = colors.byte()[:, :, None, None].expand(-1, -1, 8, 8).contiguous()
    return ResidentImages("test:colors", ["red", "green", "blue"], labels, pixels)


@pytest.mark.parametrize(
    "config",
    [
        LinearProbeConfig("sgd", 30.0, batch_size=24, epochs=5),
        LinearProbeConfig("lars", 40.0, batch_size=24, epochs=5),
        LinearProbeConfig("sgd", 3.0, batch_size=24, epochs=5, copies=2),
    ],
)
def test_training_is_the_papers(images: ImageSet, config: LinearProbeConfig) -> None:
    labels = images.labels
    assert labels is not None
    backbone = Colors()
    untrained = LinearProbeConfig(config.optimizer, 0.0, batch_size=24, epochs=1)
    start = train_linear_probe(backbone, images, untrained, classes=3, seed=7)
    assert start.bias.abs().max() == 0
    assert 0.001 < start.weight.std() < 0.03

    x = extract_features(backbone, images, progress=False)
    parameters = [start.weight.clone().requires_grad_(), start.bias.clone().requires_grad_()]
    momenta = [torch.zeros_like(p) for p in parameters]
    for epoch in range(config.epochs):
        rate = config.base_lr * 24 / 256 * 0.5 * (1 + math.cos(math.pi * epoch / config.epochs))
        loss = F.cross_entropy(F.linear(x, *parameters), labels)
        for p, momentum, gradient in zip(
            parameters, momenta, torch.autograd.grad(loss, parameters), strict=True
        ):
            trust = 1.0
            if config.optimizer == "lars" and p.norm() > 0:
                trust = 0.001 * float(p.detach().norm() / gradient.norm())
            momentum.mul_(0.9).add_(gradient, alpha=trust)
            p.data -= rate * momentum
    layer = train_linear_probe(backbone, images, config, classes=3, seed=7)
    torch.testing.assert_close(layer.weight, parameters[0].detach(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(layer.bias, parameters[1].detach(), rtol=1e-3, atol=1e-4)


def test_the_backbone_is_left_as_it_was(images: ImageSet) -> None:
    backbone = Colors().train()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    config = linear_probe_config(8, epochs=2, batch_size=5)
    layer = train_linear_probe(backbone, images, config, classes=3)
    assert backbone.training
    assert all(torch.equal(before[name], now) for name, now in backbone.state_dict().items())
    assert all(p.grad is None for p in backbone.parameters())
    predicted = layer(extract_features(backbone.eval(), images, progress=False)).argmax(1)
    assert images.labels is not None
    assert float((predicted == images.labels).double().mean()) == 1


def test_settings_by_resolution() -> None:
    small = linear_probe_config(32)
    assert (small.optimizer, small.base_lr, small.batch_size, small.epochs) == ("sgd", 30, 256, 90)
    for large in (linear_probe_config(33), linear_probe_config(64)):
        assert (large.optimizer, large.base_lr, large.batch_size) == ("lars", 0.1, 4096)
        assert large.epochs == 90
    with pytest.raises(UserError, match="epochs must be at least 1"):
        linear_probe_config(32, epochs=0)


def test_unlabelled_images_are_refused(images: ImageSet) -> None:
    unlabelled = ResidentImages("folder:x", [], None, images.batch(torch.arange(4)))
    with pytest.raises(UserError, match=r"^the train split of folder:x has no labels"):
        train_linear_probe(Colors(), unlabelled, linear_probe_config(8), classes=3)


@pytest.mark.parametrize("copies", [None, 2])
@pytest.mark.parametrize("stored", ["in memory", "in files"])
def test_views_and_order_follow_from_seed_epoch_and_step(stored: str, copies: int | None) -> None:
    """Noise, whose crops differ, in batches that leave a remainder."""
    random = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (12, 3, 8, 8), generator=random, dtype=torch.uint8)
    labels = torch.arange(12) % 3
    source = ArraySource(
        "noise", pixels.permute(0, 2, 3, 1).numpy(), ["a", "b", "c"], labels.tolist()
    )
    noise = {
        "in memory": ResidentImages("test:noise", ["a", "b", "c"], labels, pixels),
        "in files": OriginalImages("noise", source, 8, device=torch.device("cpu"), num_workers=0),
    }[stored]
    config = LinearProbeConfig(
        "sgd", 40.0, batch_size=5, epochs=3, momentum=0.8, crop_scale=(0.1, 0.6), copies=copies
    )
    backbone, seed = Halves().eval(), 7

    def features(rows: Tensor, epoch: int, step: int) -> Tensor:
        draws = StepRandom(derive_seed(seed, epoch), step, stream="linear-probe")
        if stored == "in files":
            boxes = place_boxes(draw_box_numbers(len(rows), draws, scale=(0.1, 0.6)), 8, 8)
            flips = draws.uniform(len(rows)) < 0.5
            views = []
            for row, box, flip in zip(rows, boxes, flips, strict=True):
                view = resized_crop(to_pil_image(pixels[row]), *box.tolist(), [8, 8])
                views.append(to_tensor(hflip(view) if flip else view))
            seen: Tensor = backbone(torch.stack(views))
            return seen
        crops = AugmentConfig(crop_scale=(0.1, 0.6), flip=0.5, jitter=0.0, grayscale=0.0, blur=0.0)
        seen = backbone(Augment(crops, 8)(pixels[rows], draws))
        return seen

    kept = [
        torch.cat([features(torch.arange(12)[s : s + 5], copy, s // 5) for s in (0, 5, 10)])
        for copy in range(copies or 0)
    ]
    first = torch.Generator().manual_seed(derive_seed(seed, "linear-probe-init"))
    weight = (0.01 * torch.randn(3, 6, generator=first)).requires_grad_()
    bias = torch.zeros(3, requires_grad=True)
    momenta = [torch.zeros(3, 6), torch.zeros(3)]
    for epoch in range(3):
        rate = 40.0 * 5 / 256 * (1 + math.cos(math.pi * epoch / 3)) / 2
        order = epoch_order(12, epoch, derive_seed(seed, "linear-probe"))
        for step in range(3):
            rows = order[5 * step : 5 * step + 5]
            x = kept[epoch % 2][rows] if copies else features(rows, epoch, step)
            loss = F.cross_entropy(x @ weight.T + bias, labels[rows])
            gradients = torch.autograd.grad(loss, [weight, bias])
            for p, momentum, gradient in zip((weight, bias), momenta, gradients, strict=True):
                momentum.mul_(0.8).add_(gradient)
                p.data -= rate * momentum
    layer = train_linear_probe(backbone, noise, config, classes=3, seed=seed)
    torch.testing.assert_close(layer.weight, weight.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(layer.bias, bias.detach(), rtol=1e-4, atol=1e-5)
    assert not layer.weight.requires_grad


def test_seed_0_and_single_precision_are_the_defaults(images: ImageSet) -> None:
    config = LinearProbeConfig("sgd", 3.0, batch_size=24, epochs=2)
    ours = train_linear_probe(Colors(), images, config, classes=3)
    same = train_linear_probe(Colors(), images, config, classes=3, seed=0, precision="fp32")
    assert torch.equal(ours.weight, same.weight)
    other = train_linear_probe(Colors(), images, config, classes=3, seed=1)
    assert not torch.equal(ours.weight, other.weight)


def test_the_backbone_computes_in_the_precision_that_is_named(images: ImageSet) -> None:
    config = LinearProbeConfig("sgd", 3.0, batch_size=24, epochs=1)
    single, half = Halves(), Halves()
    train_linear_probe(single, images, config, classes=3)
    train_linear_probe(half, images, config, classes=3, precision="bf16")
    assert (single.autocast, half.autocast) == ({False}, {True})


def test_no_more_views_are_made_than_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    pixels = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    flat = ResidentImages("test:flat", ["a", "b"], torch.arange(4) % 2, pixels)
    seen: list[int] = []
    backbone = Colors()
    backbone.register_forward_hook(lambda _m, given, _out: seen.append(len(given[0])))
    config = LinearProbeConfig("sgd", 3.0, batch_size=4, epochs=2, copies=9)
    train_linear_probe(backbone, flat, config, classes=2)
    assert seen.count(4) == 2
    kept, training = capsys.readouterr().err.splitlines()
    assert kept.startswith("features for the probe: 8/8 views (100%)")
    assert training.startswith("linear probe: 8/8 images (100%)")
    seen.clear()
    train_linear_probe(backbone, flat, replace(config, copies=None), classes=2)
    assert seen.count(4) == 2


@pytest.mark.parametrize("name", ["epochs", "batch size", "copies"])
def test_numbers_of_the_probe_begin_at_one(name: str) -> None:
    option = name.replace(" ", "_")
    assert getattr(linear_probe_config(32, **{option: 1}), option) == 1
    with pytest.raises(UserError, match=f"^the linear probe's {name} must be at least 1, not 0$"):
        linear_probe_config(32, **{option: 0})


def test_what_is_named_is_taken() -> None:
    for side in (32, 33):
        config = linear_probe_config(side, epochs=7, batch_size=9, copies=3)
        assert (config.epochs, config.batch_size, config.copies) == (7, 9, 3)
        assert (config.momentum, config.crop_scale) == (0.9, (0.08, 1.0))
