"""Reading a checkpoint of any format into plain data, without running anything it holds."""

import itertools
from pathlib import Path
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Checkpoint, Network
from squeezespan.generators.checkpoints.modules import is_module, module_networks
from squeezespan.generators.checkpoints.state_dicts import find_state_dicts, loose_tensors
from squeezespan.generators.checkpoints.tensorflow import is_tensorflow, tensorflow_networks
from squeezespan.untrusted.content import read_content
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.values import Record
from squeezespan.untrusted.safetensors import HEADER_KEY
from squeezespan.untrusted.torch_files.tensors import TensorMaker
from squeezespan.untrusted.wording import is_name, shown

__all__ = ["read_checkpoint"]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint: module pickles, files of `torch.save` old and new, safetensors.

    Nothing that the file names is imported or called. Weights stay in the file until they are asked
    for, so the file must stay as it is.

    Args:
        path: the file.

    Returns:
        its networks, at least one.

    Raises:
        UserError: damaged, foreign, or without a network.
    """
    content = read_content(path)
    if HEADER_KEY in content.metadata:
        network = _bare_network("", content.value)
        return Checkpoint(path, content.format, {"": network}, metadata=content.metadata)
    tensors = TensorMaker()
    try:
        if is_tensorflow(content.value):
            networks = tensorflow_networks(path, content.value)
            return Checkpoint(path, "TensorFlow pickle", networks)
        modules = _modules(content.value)
        networks = module_networks(path, modules, tensors)
        kind = f"modules in a {content.format}" if modules else content.format
        rest = {} if "" in modules else content.value
        tensors.fill(rest)
        for name, state in find_state_dicts(rest).items():
            networks[name] = _bare_network(name, state)
    except MalformedError as error:
        raise UserError(f"{path} cannot be read as a checkpoint: {error}") from error
    if not networks:
        raise UserError(
            f"{path} holds no weights by name: it is not a GAN's checkpoint ({_held(rest)})"
        )
    return Checkpoint(path, kind, networks, loose_tensors(rest))


def _modules(value: Any) -> dict[str, Any]:
    """The networks among a file's values, or the one that it is."""
    if is_module(value):
        return {"": value}
    items = value.items() if isinstance(value, dict) else ()
    return {name: x for name, x in items if (is_name(name) or name == "") and is_module(x)}


def _held(content: Any) -> str:
    if not isinstance(content, dict):
        return f"it holds {_kind(content)}"
    items = itertools.islice(content.items(), 5)
    names = ", ".join(
        shown(name) + (f", {_kind(x)}" if isinstance(x, Record) else "") for name, x in items
    )
    return f"it has {shown(names, 200)}" if names else "it is empty"


def _kind(value: Any) -> str:
    return f"a {shown(value.class_name, 80)}" if isinstance(value, Record) else shown(value)


def _bare_network(name: str, state: dict[str, Tensor]) -> Network:
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    return Network(name, shapes, lambda: state)
