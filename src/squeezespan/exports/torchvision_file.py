"""A student as torchvision's ResNet, in the file that `torch.load` reads."""

import io
from pathlib import Path
from typing import Any

import torch
import torchvision
from timm.models import split_model_name_tag
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.transforms.functional import normalize

from squeezespan.errors import UserError
from squeezespan.exports.weights import plain_weights
from squeezespan.exports.written import Written
from squeezespan.files import atomic_write
from squeezespan.models.backbones import RESNET10_NARROW
from squeezespan.models.student_file import Backbone

__all__ = ["SHARED_RESNETS", "write_torchvision"]

SHARED_RESNETS = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *("wide_resnet50_2", "wide_resnet101_2"),
)
"""Networks that are the same in timm and torchvision, by one name, parameters included."""

_WEIGHTS = "model.pth"
_WIDTHS = (32, 64, 128, 256)
"""Of the narrow ResNet's stages."""

_NARROW = """\
backbone = ResNet(BasicBlock, [1, 1, 1, 1])
backbone.inplanes = 32
backbone.bn1 = nn.BatchNorm2d(32)
for stage, width in enumerate((32, 64, 128, 256)):
    layer = backbone._make_layer(BasicBlock, width, 1, stride=min(stage + 1, 2))
    setattr(backbone, f"layer{stage + 1}", layer)
"""
_DEEP_STEM = """\
backbone.conv1 = nn.Sequential(
    *(nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
    *(nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
    nn.Conv2d(16, 32, 3, padding=1, bias=False),
)
"""
_CIFAR_STEM = """\
backbone.conv1 = nn.Conv2d(3, {width}, 3, padding=1, bias=False)
backbone.maxpool = nn.Identity()
"""
_USE = """\
import torch
from torch import nn
from torchvision.models{place} import {names}
from torchvision.transforms.functional import normalize

{build}backbone.fc = nn.Identity()
backbone.load_state_dict(torch.load("{weights}", weights_only=True))
backbone.eval()
mean = {mean}
std = {std}
features = backbone(normalize(images, mean, std))"""


def write_torchvision(backbone: Backbone, folder: Path) -> Written:
    """Write a student's weights as torchvision's ResNet takes them.

    Args:
        backbone: the student, one of `SHARED_RESNETS` or the narrow ResNet.
        folder: where to.

    Raises:
        UserError: torchvision has no such network.
        StorageError: the disk is full.
    """
    arch = split_model_name_tag(backbone.header["arch"])[0]
    if arch != RESNET10_NARROW and arch not in SHARED_RESNETS:
        raise UserError(
            f"{arch} has no counterpart in torchvision, which shares {', '.join(SHARED_RESNETS)} "
            "with timm; choose another --format"
        )
    path, buffer = folder / _WEIGHTS, io.BytesIO()
    # Through memory, so that a full disk is met in a plain write.
    torch.save(plain_weights(backbone), buffer)
    atomic_write(path, lambda temporary: temporary.write_bytes(buffer.getbuffer()))
    network = _build(arch, is_cifar=backbone.header["stem"] == "cifar")
    network.load_state_dict(torch.load(path, weights_only=True))
    network.eval()
    mean, std = (list(backbone.normalization[name]) for name in ("mean", "std"))
    return Written(
        files={_WEIGHTS: f"the weights of torchvision's ResNet, named as there ({arch})"},
        input="RGB, float in [0, 1], **normalized** as in the lines above",
        code=_code(backbone, arch),
        reopen=lambda images: network(normalize(images, mean, std)),
    )


def _code(backbone: Backbone, arch: str) -> str:
    is_narrow = arch == RESNET10_NARROW
    build = _NARROW if is_narrow else f"backbone = {arch}()\n"
    if backbone.header["stem"] == "cifar":
        build += _CIFAR_STEM.format(width=_WIDTHS[0] if is_narrow else 64)
    elif is_narrow:
        build += _DEEP_STEM
    mean, std = (list(backbone.normalization[name]) for name in ("mean", "std"))
    return _USE.format(
        place=".resnet" if is_narrow else "",
        names="BasicBlock, ResNet" if is_narrow else arch,
        build=build,
        weights=_WEIGHTS,
        mean=mean,
        std=std,
    )


def _build(arch: str, *, is_cifar: bool) -> nn.Module:
    """Do what the lines in the code do."""
    network: Any
    if arch == RESNET10_NARROW:
        network = ResNet(BasicBlock, [1, 1, 1, 1])
        network.inplanes = _WIDTHS[0]
        network.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        for stage, width in enumerate(_WIDTHS):
            layer = network._make_layer(BasicBlock, width, 1, stride=min(stage + 1, 2))
            setattr(network, f"layer{stage + 1}", layer)
        network.conv1 = nn.Sequential(
            *(nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
            *(nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
            nn.Conv2d(16, _WIDTHS[0], 3, padding=1, bias=False),
        )
    else:
        network = torchvision.models.get_model(arch, weights=None)
    if is_cifar:
        width = network.bn1.num_features
        network.conv1 = nn.Conv2d(3, width, kernel_size=3, padding=1, bias=False)
        network.maxpool = nn.Identity()
    network.fc = nn.Identity()
    return network  # type: ignore[no-any-return]
