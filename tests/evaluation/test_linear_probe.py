"""The linear probe against the same training written out by hand.

Images of one colour look the same whatever the crop and the flip, so the augmented features are
known.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.data.images import ImageSet, ResidentImages
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.evaluation.linear import (
    LinearProbeConfig,
    linear_probe_config,
    train_linear_probe,
)


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
    small, large = linear_probe_config(32), linear_probe_config(64)
    assert (small.optimizer, small.base_lr, small.batch_size, small.epochs) == ("sgd", 30, 256, 90)
    assert (large.optimizer, large.base_lr, large.batch_size, large.epochs) == (
        "lars",
        0.1,
        4096,
        90,
    )
    with pytest.raises(UserError, match="epochs must be at least 1"):
        linear_probe_config(32, epochs=0)


def test_unlabelled_images_are_refused(images: ImageSet) -> None:
    unlabelled = ResidentImages("folder:x", [], None, images.batch(torch.arange(4)))
    with pytest.raises(UserError, match="folder:x has no labels"):
        train_linear_probe(Colors(), unlabelled, linear_probe_config(8), classes=3)
