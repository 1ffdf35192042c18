"""A student as an ONNX graph."""

import importlib.util
import json
from pathlib import Path

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.exports.graph import GRAPH_INPUT, any_batch, example, quiet
from squeezespan.exports.written import Written
from squeezespan.files import atomic_write
from squeezespan.models.student_file import Backbone
from squeezespan.untrusted.safetensors import HEADER_KEY

__all__ = ["require_onnx", "write_onnx"]

_FILE = "model.onnx"
_NEEDED = ("onnx", "onnxruntime", "onnxscript")
_MOST_BYTES = 2_000_000_000
"""Of one protobuf message."""

_USE = f"""\
import onnxruntime

session = onnxruntime.InferenceSession("{_FILE}")
(features,) = session.run(["features"], {{"images": images}})"""


def require_onnx() -> None:
    """Make sure, before long work, that a student can be written as ONNX, and tried.

    Raises:
        UserError: a package is missing.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"--format onnx needs {' and '.join(missing)}, not installed here: "
            "pip install 'squeezespan[export]'"
        )


def write_onnx(backbone: Backbone, folder: Path) -> Written:
    """Write a student, normalization included, as an ONNX graph of any batch size.

    Args:
        backbone: the student, on the CPU.
        folder: where to.

    Raises:
        UserError: a package is missing, or the student is too large for one file.
        StorageError: the disk is full.
    """
    require_onnx()
    import onnx
    import onnxruntime
    from onnxscript import __version__ as exporter

    if sum(tensor.nbytes for tensor in backbone.state_dict().values()) > _MOST_BYTES:
        raise UserError("an ONNX file holds 2 GB at most; choose --format torch-export")
    with quiet():
        program = torch.onnx.export(
            backbone,
            (example(backbone),),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            output_names=["features"],
            dynamic_shapes=any_batch(),
        )
    assert program is not None
    model = program.model_proto
    by = f"torch {torch.__version__}, onnxscript {exporter}"
    onnx.helper.set_model_props(
        model, {HEADER_KEY: json.dumps(backbone.header), "exporter": by, "input": GRAPH_INPUT}
    )
    onnx.checker.check_model(model)
    path, content = folder / _FILE, model.SerializeToString()
    atomic_write(path, lambda temporary: temporary.write_bytes(content))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def reopen(images: Tensor) -> Tensor:
        (features,) = session.run(["features"], {"images": images.numpy()})
        return torch.from_numpy(features)

    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    held = f"the student's header stands in its metadata, as `{HEADER_KEY}`"
    return Written(
        files={_FILE: f"the graph (opset {opset}), weights included; {held}"},
        input=GRAPH_INPUT,
        code=_USE,
        arrays="numpy",
        reopen=reopen,
    )
