"""Student backbones: any image model of timm, a stem for small images, and a small ResNet."""

import difflib
from typing import Any, Literal, cast

import timm
import torch
from timm.models import get_pretrained_cfg, is_model_in_modules, resnet
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.models.small_maps import speed_up_small_maps

__all__ = [
    "RESNET10_NARROW",
    "build_backbone",
    "default_stem",
    "features",
    "num_features",
    "suggest_architecture",
    "timm_recipe",
]

RESNET10_NARROW = "resnet10-narrow"

_NARROW: dict[str, Any] = {
    "layers": (1, 1, 1, 1),
    "channels": (32, 64, 128, 256),
    # timm fixes the width of the plain stem at 64; of the deep one it can be chosen.
    "stem_type": "deep",
    "stem_width": 16,
}
"""What makes timm's ResNet-18 the narrow one."""

_CIFAR_RESOLUTION = 32
_RESNET_MODULES = {"resnet", "res2net", "resnest", "sknet"}


def build_backbone(
    arch: str, stem: Literal["cifar", "imagenet"] = "cifar", resolution: int | None = None
) -> nn.Module:
    """Build an untrained backbone that ends in its pooled features.

    Its forward takes normalized images float [B, 3, R, R] and returns [B, num_features]; the
    attribute `num_features` is that width. Parameter names are timm's own. The residual blocks of
    timm's ResNets start as the identity: their last batch norm is zero-initialized.

    Args:
        arch: a name of timm's (a pretrained tag after a dot is ignored), or `resnet10-narrow`, a
            ResNet of one basic block a stage with 32, 64, 128 and 256 channels, for CPUs.
        stem: "cifar" puts a 3x3 stride-1 convolution in the place of the first layers and removes
            the max-pool (ResNets only); "imagenet" leaves the architecture as it is.
        resolution: side of the images; sizes architectures that fix it, such as vision
            transformers. None is 32 with the CIFAR stem, else the architecture's own.

    Raises:
        UserError: no such architecture, no CIFAR stem for it, or it can't take such images.
    """
    if arch != RESNET10_NARROW and not timm.is_model(arch):
        raise UserError(
            f"no architecture {arch!r}{suggest_architecture(arch)}; `timm.list_models()` has all"
        )
    published = None if arch == RESNET10_NARROW else get_pretrained_cfg(arch)
    if resolution is None:
        fallback = published.input_size[-1] if published and stem == "imagenet" else None
        resolution = fallback or _CIFAR_RESOLUTION
    name, arguments = timm_recipe(arch, resolution)
    try:
        backbone: Any = timm.create_model(name, pretrained=False, num_classes=0, **arguments)
        if stem == "cifar":
            if not isinstance(backbone, resnet.ResNet):
                raise UserError(
                    f"the CIFAR stem is for timm's ResNets; with {arch} use --student.stem imagenet"
                )
            _put_cifar_stem(backbone)
        width = _output_width(backbone, resolution)
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{arch} can't take {resolution}x{resolution} images ({reason}); "
            "choose another --student.arch or --images.resolution"
        ) from error
    speed_up_small_maps(backbone)
    # Some families keep the width before their last layer here.
    backbone.num_features = width
    return cast(nn.Module, backbone)


def default_stem(arch: str, resolution: int) -> Literal["cifar", "imagenet"]:
    """Give the stem for images of a size: `cifar` for ResNets up to 32 pixels, else `imagenet`.

    Args:
        arch: as for `build_backbone`.
        resolution: side of the images, pixels.
    """
    is_resnet = arch == RESNET10_NARROW or is_model_in_modules(arch, _RESNET_MODULES)
    return "cifar" if is_resnet and resolution <= _CIFAR_RESOLUTION else "imagenet"


def timm_recipe(arch: str, resolution: int) -> tuple[str, dict[str, Any]]:
    """Give what `timm.create_model` makes an architecture from.

    Args:
        arch: as for `build_backbone`.
        resolution: side of the images, pixels.

    Returns:
        timm's name, and the arguments besides; texts, numbers and tuples of them.
    """
    if arch == RESNET10_NARROW:
        return "resnet18", dict(_NARROW)
    published = get_pretrained_cfg(arch)
    fixed = published is not None and published.fixed_input_size
    return arch, {"img_size": resolution} if fixed else {}


def num_features(backbone: nn.Module) -> int:
    """Width of the features that `backbone`, made by `build_backbone`, returns."""
    return cast(int, backbone.num_features)


def features(backbone: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Run a backbone and keep the feature map at the end of every stage.

    Args:
        backbone: made by `build_backbone`.
        images: normalized images, float [B, 3, R, R].

    Returns:
        timm's name of the stage to its feature map [B, C, r, r], shallow to deep; a ResNet has
        `act1` (the stem) and `layer1` to `layer4`.

    Raises:
        UserError: the architecture doesn't tell its stages.
    """
    if not hasattr(backbone, "forward_intermediates"):
        raise UserError(f"{type(backbone).__name__} of timm doesn't give intermediate features")
    maps = cast(Any, backbone).forward_intermediates(images, intermediates_only=True)
    stages = cast(list[dict[str, str]], backbone.feature_info)
    return {stage["module"]: image_map for stage, image_map in zip(stages, maps, strict=True)}


def suggest_architecture(arch: str) -> str:
    """Give `; did you mean ...?` for the architectures named most like `arch`, or nothing."""
    close = difflib.get_close_matches(arch, [RESNET10_NARROW, *timm.list_models()], n=3)
    return f"; did you mean {', '.join(close)}?" if close else ""


def _put_cifar_stem(backbone: Any) -> None:
    convolution = nn.Conv2d(3, backbone.bn1.num_features, kernel_size=3, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    backbone.conv1 = convolution
    backbone.maxpool = nn.Identity()


def _output_width(backbone: Any, resolution: int) -> int:
    backbone.eval()
    with torch.no_grad():
        output = backbone(torch.zeros(1, 3, resolution, resolution))
    backbone.train()
    if output.ndim != 2:
        raise ValueError(f"its output has shape {list(output.shape)}, not [B, features]")
    return int(output.shape[1])
