"""Reading a checkpoint of any format into plain data, without running anything it holds."""

import itertools
from pathlib import Path
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Checkpoint, Network, NetworkModule
from squeezespan.generators.checkpoints.modules import is_module, module_networks
from squeezespan.generators.checkpoints.rosinality import (
    has_rosinality_layout,
    published_names,
)
from squeezespan.generators.checkpoints.state_dicts import find_state_dicts, loose_tensors
from squeezespan.generators.checkpoints.tensorflow import is_tensorflow, tensorflow_networks
from squeezespan.untrusted.names import is_name
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.symbols import MODULE_SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.safetensors import read_tensors
from squeezespan.untrusted.sniff import container_of
from squeezespan.untrusted.torch_files.torch_stream import MAGIC, read_stream
from squeezespan.untrusted.torch_files.zip_archive import read_archive
from squeezespan.untrusted.wording import shown

__all__ = ["read_checkpoint"]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint: module pickles, files of `torch.save` old and new, safetensors.

    Nothing that the file names is imported or called. The weights of module pickles stay in the
    file until they are asked for, so the file must stay as it is.

    Args:
        path: the file.

    Returns:
        its networks, at least one.

    Raises:
        UserError: damaged, foreign, or without a network.
    """
    container = container_of(path)
    try:
        if container == "safetensors":
            return _of_tensors(path, "safetensors", read_tensors(path))
        if container == "zip":
            return _of_tensors(path, "torch.save archive", read_archive(path))
        return _read_pickle(path)
    except (MalformedError, OSError) as error:
        raise UserError(f"{path} cannot be read as a checkpoint: {error}") from error


def _read_pickle(path: Path) -> Checkpoint:
    with path.open("rb") as file:
        cursor = Cursor(file)
        unpickler = RestrictedUnpickler(cursor, MODULE_SYMBOLS)
        content = unpickler.load()
        if type(content) is int and content == MAGIC:
            return _of_tensors(path, "torch.save file of the old kind", read_stream(file))
        if cursor.left:
            raise MalformedError(
                f"{cursor.left:,} bytes follow the end of the pickle", cursor.position
            )
    if is_tensorflow(content):
        return Checkpoint(path, "TensorFlow pickle", tensorflow_networks(path, content))
    return _of_modules(path, content, unpickler.protocol)


def _of_modules(path: Path, content: Any, protocol: int) -> Checkpoint:
    if is_module(content):
        content = {"": content}
    if not isinstance(content, dict):
        raise UserError(f"{path} is a pickle, but holds no networks: it is not a GAN's checkpoint")
    found = {
        name: x for name, x in content.items() if (is_name(name) or name == "") and is_module(x)
    }
    if not found:
        names = ", ".join(shown(name) for name in itertools.islice(content, 5)) or "nothing"
        raise UserError(
            f"{path} is a pickle, but holds no networks: it has {shown(names, 120)}; save weights "
            "with torch.save or as safetensors"
        )
    kind = f"module pickle (protocol {protocol})"
    return Checkpoint(path, kind, module_networks(path, found))


def _of_tensors(path: Path, kind: str, content: Any) -> Checkpoint:
    states = find_state_dicts(content)
    if not states:
        raise UserError(f"{path} holds no weights by name: it is not a GAN's checkpoint")
    networks = {name: _bare_network(name, state) for name, state in states.items()}
    return Checkpoint(path, kind, networks, loose_tensors(content))


def _bare_network(name: str, state: dict[str, Tensor]) -> Network:
    modules = {}
    if has_rosinality_layout(state):
        state = published_names(state)
        modules[""] = NetworkModule("Generator of rosinality", {"conv_clamp": None}, {})
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    return Network(name, shapes, lambda: state, modules)
