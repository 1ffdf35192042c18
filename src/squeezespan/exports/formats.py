"""The formats by name."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from squeezespan.exports.written import Written
    from squeezespan.models.student_file import Backbone

__all__ = ["FormatName", "find_format"]

FormatName = Literal["timm", "torchvision", "safetensors", "onnx", "torch-export", "hub"]


def find_format(name: FormatName) -> "Callable[[Backbone, Path], Written]":
    """Give the function that writes a student into a folder."""
    from squeezespan.exports.onnx_graph import write_onnx
    from squeezespan.exports.timm_folder import write_timm
    from squeezespan.exports.torch_program import write_torch_export
    from squeezespan.exports.torchvision_file import write_torchvision
    from squeezespan.exports.weights import write_safetensors

    formats: dict[FormatName, Callable[[Backbone, Path], Written]] = {
        "timm": write_timm,
        "torchvision": write_torchvision,
        "safetensors": write_safetensors,
        "onnx": write_onnx,
        "torch-export": write_torch_export,
        "hub": write_timm,
    }
    return formats[name]
