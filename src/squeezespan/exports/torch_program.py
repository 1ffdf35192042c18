"""A student as a program of `torch.export`."""

import io
import json
from pathlib import Path

import torch

from squeezespan.exports.graph import GRAPH_INPUT, any_batch, example, quiet
from squeezespan.exports.written import Written
from squeezespan.files import atomic_write
from squeezespan.models.student_file import Backbone

__all__ = ["write_torch_export"]

_FILE = "model.pt2"
_HEADER = "squeezespan.json"

_USE = f"""\
import torch

backbone = torch.export.load("{_FILE}").module()
features = backbone(images)"""


def write_torch_export(backbone: Backbone, folder: Path) -> Written:
    """Write a student, normalization included, as a program of any batch size.

    Args:
        backbone: the student, on the CPU.
        folder: where to.

    Raises:
        StorageError: the disk is full.
    """
    buffer = io.BytesIO()
    with quiet():
        program = torch.export.export(
            backbone, (example(backbone),), dynamic_shapes=any_batch(), strict=False
        )
        extra = {_HEADER: json.dumps(backbone.header)}
        torch.export.save(program, buffer, extra_files=extra)
    path = folder / _FILE
    atomic_write(path, lambda temporary: temporary.write_bytes(buffer.getbuffer()))
    reopened = torch.export.load(path).module()
    return Written(
        files={_FILE: f"the program; the student's header is its extra file `{_HEADER}`"},
        input=GRAPH_INPUT,
        code=_USE,
        reopen=reopened,
    )
