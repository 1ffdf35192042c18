"""A student's weights as plain safetensors, which say besides what they are."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from squeezespan.exports.written import Written
from squeezespan.files import atomic_write
from squeezespan.models.backbones import build_backbone
from squeezespan.models.student_file import STUDENT_FILE, Backbone
from squeezespan.untrusted.safetensors import HEADER_KEY

__all__ = ["plain_weights", "save_weights", "write_safetensors"]


def plain_weights(backbone: Backbone) -> dict[str, Tensor]:
    """Give the network's tensors by timm's names, on the CPU, each with memory of its own."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in backbone.network.state_dict().items()
    }


def save_weights(path: Path, backbone: Backbone) -> None:
    """Write weights that timm, safetensors and `load_backbone` read.

    Args:
        path: the file to make.
        backbone: the student.

    Raises:
        StorageError: the disk is full.
    """
    tensors = plain_weights(backbone)
    # Other libraries look for the format; ours for the header.
    metadata = {"format": "pt", HEADER_KEY: json.dumps(backbone.header)}
    atomic_write(path, lambda temporary: save_file(tensors, temporary, metadata=metadata))


def write_safetensors(backbone: Backbone, folder: Path) -> Written:
    """Write a student as one file of weights with its header.

    Args:
        backbone: the student.
        folder: where to.

    Raises:
        StorageError: the disk is full.
    """
    path = folder / STUDENT_FILE
    save_weights(path, backbone)
    arch, stem = backbone.header["arch"], backbone.header["stem"]
    network = build_backbone(arch, stem, backbone.resolution).eval()
    network.load_state_dict(load_file(path))
    return Written(
        files={STUDENT_FILE: "the weights by timm's names; the header is Squeezespan's, as JSON"},
        input="RGB, float in [0, 1] or uint8; `load_backbone` normalizes them",
        code=(
            "import squeezespan\n"
            "\n"
            f'backbone = squeezespan.load_backbone("{STUDENT_FILE}")\n'
            "features = backbone(images)"
        ),
        reopen=lambda images: network((images - backbone.mean) / backbone.std),
    )
