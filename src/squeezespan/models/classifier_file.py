"""`classifier.safetensors`: the linear layer that stands on a fine-tuned backbone's features."""

from pathlib import Path

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.files import check_file
from squeezespan.models.student_file import Backbone, load_backbone
from squeezespan.untrusted.safetensors import load_weights, read_network, save_network

__all__ = ["CLASSIFIER_FILE", "ImageClassifier", "load_classifier", "save_classifier"]

CLASSIFIER_FILE = "classifier.safetensors"

_KIND = "classifier"
_MOST_CLASSES = 1_000_000


class ImageClassifier(nn.Module):
    """A backbone with its linear layer: plain images to the scores of classes.

    Args:
        backbone: from `load_backbone`.
        layer: features [B, D] to scores [B, classes].
        class_names: in the order of the scores.
    """

    def __init__(self, backbone: Backbone, layer: nn.Linear, class_names: list[str]) -> None:
        super().__init__()
        self.backbone = backbone
        self.layer = layer
        self.class_names = class_names

    def forward(self, images: Tensor) -> Tensor:
        """Give scores [B, classes] of images as `Backbone` takes them; softmax gives shares."""
        scores: Tensor = self.layer(self.backbone(images))
        return scores


def save_classifier(path: Path, weight: Tensor, bias: Tensor, class_names: list[str]) -> None:
    """Write a linear layer, atomically.

    Args:
        path: the file to make or replace.
        weight: [classes, D].
        bias: [classes].
        class_names: in the order of the rows.

    Raises:
        StorageError: the disk is full or read-only.
    """
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    header = {"kind": _KIND, "num_features": weight.shape[1], "class_names": class_names}
    save_network(path, layer, header)


def load_classifier(run: str | Path, device: torch.device | str = "cpu") -> ImageClassifier:
    """Open a fine-tuned network with its classifier, in eval mode.

    Args:
        run: the folder that `finetune` made.
        device: where its parameters go.

    Raises:
        UserError: a file is missing, damaged, or of another network.
    """
    path = Path(run) / CLASSIFIER_FILE
    check_file(path, "classifier of a fine-tuned network, which `squeezespan finetune` makes,")
    backbone = load_backbone(run)
    tensors, header = read_network(path, _KIND)
    names, width = header.get("class_names"), header.get("num_features")
    if (
        not isinstance(names, list)
        or not 0 < len(names) <= _MOST_CLASSES
        or not all(isinstance(name, str) for name in names)
    ):
        raise UserError(f"{path} has a squeezespan header that has no valid 'class_names'")
    if width != backbone.num_features:
        raise UserError(
            f"{path} is for {width} features, but the backbone beside it gives "
            f"{backbone.num_features}"
        )
    layer = nn.Linear(backbone.num_features, len(names))
    load_weights(layer, tensors, path)
    return ImageClassifier(backbone, layer, names).eval().to(device)
