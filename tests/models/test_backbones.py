"""Backbones of timm as students: stems, widths, names, what can't be built."""

import pytest
import timm
import torch
from torch import nn

from squeezespan.errors import UserError
from squeezespan.models.backbones import build_backbone, features, num_features


def test_cifar_stem_keeps_the_resolution_of_small_images() -> None:
    backbone = build_backbone("resnet18", "cifar")
    maps = features(backbone, torch.zeros(2, 3, 32, 32))
    assert {name: tuple(x.shape[1:]) for name, x in maps.items()} == {
        "act1": (64, 32, 32),
        "layer1": (64, 32, 32),
        "layer2": (128, 16, 16),
        "layer3": (256, 8, 8),
        "layer4": (512, 4, 4),
    }
    assert num_features(backbone) == 512


def test_the_imagenet_stem_is_timms_architecture_with_its_names() -> None:
    backbone = build_backbone("resnet18", "imagenet")
    published = timm.create_model("resnet18", num_classes=0)
    backbone.load_state_dict(published.state_dict())
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.eval()(images), published.eval()(images))


@pytest.mark.parametrize("arch", ["resnet10-narrow", "resnet18", "resnet50", "resnet26d"])
def test_residual_blocks_start_as_the_identity(arch: str) -> None:
    backbone = build_backbone(arch, "cifar")
    last = "bn3" if arch in ("resnet50", "resnet26d") else "bn2"
    weights = [p for name, p in backbone.named_parameters() if name.endswith(f"{last}.weight")]
    assert weights
    assert all(not bool(weight.any()) for weight in weights)


@pytest.mark.parametrize(
    ("arch", "stem", "resolution", "width"),
    [
        ("resnet10-narrow", "cifar", 32, 256),
        ("resnet10-narrow", "imagenet", 64, 256),
        ("resnet26d", "cifar", 32, 2048),
        ("mobilenetv3_small_050", "imagenet", 64, 1024),
        ("test_vit", "imagenet", 32, 64),
        ("test_convnext.r160_in1k", "imagenet", 64, 64),
    ],
)
def test_features_are_as_wide_as_told(arch: str, stem: str, resolution: int, width: int) -> None:
    backbone = build_backbone(arch, stem, resolution)  # type: ignore[arg-type]
    assert backbone.training
    assert num_features(backbone) == width
    assert backbone(torch.zeros(2, 3, resolution, resolution)).shape == (2, width)


@pytest.mark.parametrize(
    ("arch", "stem", "resolution", "words"),
    [
        ("resnet-18", "cifar", 32, "resnet18"),
        ("resnet10_narrow", "cifar", 32, "resnet10-narrow"),
        ("convnext_atto", "cifar", 32, "--student.stem imagenet"),
        ("inception_v3", "imagenet", 32, "--images.resolution"),
        ("test_vit", "imagenet", 30, "30x30"),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line(
    arch: str, stem: str, resolution: int, words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        build_backbone(arch, stem, resolution)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_stages_of_a_network_that_tells_none_are_refused() -> None:
    with pytest.raises(UserError, match="Flatten"):
        features(nn.Flatten(), torch.zeros(1, 3, 4, 4))
