"""The folder that `timm.create_model("local-dir:...")` opens, and on the hub `hf_hub:...`."""

from functools import partial
from pathlib import Path
from typing import Any

import timm
from timm.models import build_model_with_cfg, get_pretrained_cfg, split_model_name_tag
from torch import nn
from torchvision.transforms.functional import normalize

from squeezespan.exports.weights import save_weights
from squeezespan.exports.written import Written
from squeezespan.files import write_json
from squeezespan.models.backbones import timm_recipe
from squeezespan.models.student_file import Backbone

__all__ = ["write_timm"]

_WEIGHTS = "model.safetensors"
_STRUCTURE = ("first_conv", "classifier", "fixed_input_size", "global_pool")
"""What is told of the published architecture: how it is built, not what it was trained with."""

_USE = """\
import timm
{stem}from torchvision.transforms.functional import normalize
{register}
backbone = timm.create_model("local-dir:.", pretrained=True).eval()
data = timm.data.resolve_model_data_config(backbone)  # input_size, mean, std, interpolation
features = backbone(normalize(images, data["mean"], data["std"]))"""

_CIFAR_STEM = '''

def cifar_stem(**settings):
    """timm's {arch} with a 3x3 first convolution of stride 1, and no max-pool."""
    network = timm.create_model("{arch}", **settings)
    channels = settings.get("in_chans", 3)
    network.conv1 = nn.Conv2d(channels, network.bn1.num_features, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    for stage in network.feature_info:
        stage["reduction"] = max(1, stage["reduction"] // 4)
    return network


@timm.models.register_model
def {name}(pretrained=False, **settings):
    return timm.models.build_model_with_cfg(cifar_stem, "{name}", pretrained, **settings)

'''


def write_timm(backbone: Backbone, folder: Path) -> Written:
    """Write weights and `config.json` as timm reads them.

    timm has no ResNet with a CIFAR stem: a student with one gets a name of its own, and the lines
    that make it known to timm stand in the code.

    Args:
        backbone: the student.
        folder: where to.

    Raises:
        StorageError: the disk is full.
    """
    save_weights(folder / _WEIGHTS, backbone)
    config = _config(backbone)
    write_json(folder / "config.json", config)
    arch, _ = _recipe(backbone)
    if backbone.header["stem"] == "cifar":
        lines = _CIFAR_STEM.format(arch=arch, name=config["architecture"])
        code = _USE.format(stem="from torch import nn\n", register=lines)
        network = _open_cifar(arch, config, folder)
    else:
        code = _USE.format(stem="", register="")
        network = timm.create_model(f"local-dir:{folder}", pretrained=True)
    network.eval()
    mean, std = config["pretrained_cfg"]["mean"], config["pretrained_cfg"]["std"]
    return Written(
        files={
            _WEIGHTS: "the weights by timm's names; `squeezespan.load_backbone` opens them, too",
            "config.json": "architecture, arguments and normalization, for timm",
        },
        input="RGB, float in [0, 1], **normalized**; timm's transforms do both",
        code=code,
        reopen=lambda images: network(normalize(images, mean, std)),
    )


def _recipe(backbone: Backbone) -> tuple[str, dict[str, Any]]:
    name, arguments = timm_recipe(backbone.header["arch"], backbone.resolution)
    return split_model_name_tag(name)[0], arguments


def _config(backbone: Backbone) -> dict[str, Any]:
    arch, arguments = _recipe(backbone)
    published = get_pretrained_cfg(backbone.header["arch"]) or get_pretrained_cfg(arch)
    told = {name: getattr(published, name, None) for name in _STRUCTURE}
    structure = {name: value for name, value in told.items() if value is not None}
    side = backbone.resolution
    is_cifar = backbone.header["stem"] == "cifar"
    return {
        "architecture": f"{arch}_cifar_stem" if is_cifar else arch,
        "num_classes": 0,
        "num_features": backbone.num_features,
        "model_args": arguments,
        "pretrained_cfg": {
            **structure,
            "num_classes": 0,
            "input_size": [3, side, side],
            "mean": list(backbone.normalization["mean"]),
            "std": list(backbone.normalization["std"]),
            # As our own images are made from files: the largest centred square, resized.
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "crop_mode": "center",
        },
    }


def _open_cifar(arch: str, config: dict[str, Any], folder: Path) -> nn.Module:
    """Open the folder as timm does with the lines in the code, but for the entry in its table."""
    source = {"file": str(folder), "source": "local-dir"}
    network: nn.Module = build_model_with_cfg(
        partial(_cifar_stem, arch),
        config["architecture"],
        pretrained=True,
        pretrained_cfg={**config["pretrained_cfg"], **source},
        **config["model_args"],
    )
    return network


def _cifar_stem(arch: str, **settings: Any) -> nn.Module:
    network: Any = timm.create_model(arch, **settings)
    width = network.bn1.num_features
    network.conv1 = nn.Conv2d(3, width, kernel_size=3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network  # type: ignore[no-any-return]
