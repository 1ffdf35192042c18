"""Batch norms: conversion for several processes, and running statistics held still."""

import pytest
import torch
from torch import nn

from squeezespan.errors import UserError
from squeezespan.models.backbones import build_backbone
from squeezespan.models.batchnorm import convert_sync_batchnorm, kept_running_statistics


@pytest.mark.parametrize(
    ("arch", "stem"), [("resnet10-narrow", "cifar"), ("test_efficientnet", "imagenet")]
)
def test_conversion_changes_neither_names_nor_numbers(arch: str, stem: str) -> None:
    backbone = build_backbone(arch, stem, 32)  # type: ignore[arg-type]
    images = torch.randn(4, 3, 32, 32)
    training = backbone(images)
    state = {name: value.clone() for name, value in backbone.state_dict().items()}
    backbone.eval()
    before = backbone(images)
    backbone = convert_sync_batchnorm(backbone)
    assert not backbone.training
    assert not any(type(m) is nn.BatchNorm2d for m in backbone.modules())
    torch.testing.assert_close(backbone.state_dict(), state, rtol=0, atol=0)
    assert list(backbone.state_dict()) == list(state)
    torch.testing.assert_close(backbone(images), before, rtol=0, atol=0)
    torch.testing.assert_close(backbone.train()(images), training, rtol=0, atol=0)


def test_an_unknown_batch_norm_is_refused() -> None:
    class Odd(nn.BatchNorm1d):
        pass

    with pytest.raises(UserError, match="Odd"):
        convert_sync_batchnorm(nn.Sequential(Odd(3)))


def test_held_statistics_stay_while_the_batch_is_normalized() -> None:
    norm = nn.BatchNorm1d(3)
    x = 5 + 2 * torch.randn(64, 3)
    with kept_running_statistics(norm):
        held = norm(x)
    assert torch.equal(norm.running_mean, torch.zeros(3))  # type: ignore[arg-type]
    assert int(norm.num_batches_tracked) == 0  # type: ignore[arg-type]
    torch.testing.assert_close(held, norm(x))
    assert int(norm.num_batches_tracked) == 1  # type: ignore[arg-type]
