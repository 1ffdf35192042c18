"""Our own generator file: safetensors with a JSON header that says what the weights are."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.files import atomic_write
from squeezespan.untrusted.pickles.limits import (
    MAX_HEADER_BYTES,
    MAX_MODULES,
    MAX_TENSOR_NUMBERS,
)
from squeezespan.untrusted.wording import shown

__all__ = [
    "HEADER_KEY",
    "load_weights",
    "network_kind",
    "own_header",
    "read_network",
    "read_safetensors",
    "save_network",
]

HEADER_KEY = "squeezespan"

_WRITERS = {
    "generator": "squeezespan gan convert",
    "discriminator": "squeezespan gan train",
    "student": "squeezespan distill",
    "classifier": "squeezespan finetune",
}

_TAKERS = {
    "generator": "`squeezespan gan`, and --gan of other commands, take it",
    "discriminator": "`squeezespan probe discriminator:FILE`, and --discriminator, take it",
    "student": "`squeezespan probe`, embed, finetune and export take it",
    "classifier": "`squeezespan.load_classifier` in Python takes the folder that it lies in",
}

# Weights may be shared, such as G's with G_ema's in a file of both, but only a few times.
_SHARED, _SMALL = 4, 1 << 24

_NUMBERS = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}
"""Types that networks are stored in; 8-bit floats, say, come with scales of their own."""


def save_network(path: Path, module: nn.Module, header: dict[str, Any]) -> None:
    """Write a network's state dict with its header, atomically.

    Args:
        path: the file to make or replace.
        module: its parameters and buffers are stored as they are.
        header: JSON-serializable; has `kind`, `family`, `config` and `provenance`.

    Raises:
        StorageError: the disk is full or read-only.
    """
    # Copies, because safetensors refuses tensors that share memory.
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }
    metadata = {HEADER_KEY: json.dumps(header)}
    atomic_write(path, lambda temporary: save_file(tensors, temporary, metadata=metadata))


def read_network(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the header of a file that `save_network` wrote.

    Args:
        path: a safetensors file.
        kind: what the header must say it is: "generator", "discriminator" or "student".

    Returns:
        State dict on the CPU, and the header.

    Raises:
        UserError: not a safetensors file, not one of ours, or of another kind.
    """
    tensors, metadata = read_safetensors(path)
    return tensors, own_header(path, metadata, kind)


def own_header(path: Path, metadata: Mapping[str, str], kind: str) -> dict[str, Any]:
    """Give the header of a file of ours.

    Args:
        path: of the file, for messages.
        metadata: what `read_safetensors` gave.
        kind: as for `read_network`.

    Raises:
        UserError: it is not one of ours, damaged or of another kind.
    """
    if HEADER_KEY not in metadata:
        raise UserError(
            f"{path} has no squeezespan header, so it is not a {kind} of `{_WRITERS[kind]}`"
        )
    try:
        header: dict[str, Any] = json.loads(metadata[HEADER_KEY])
        found = header["kind"]
    # Values nested without end make json fail in another way.
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} has a damaged squeezespan header") from error
    if found != kind:
        taker = _TAKERS.get(found) if isinstance(found, str) else None
        raise UserError(
            f"{path} holds a {shown(found)}, not a {kind}" + (f"; {taker}" if taker else "")
        )
    return header


def network_kind(path: Path) -> str | None:
    """Give what a file of ours holds, as for `read_network`; None of any other file."""
    try:
        with _opened(path) as file:
            header = json.loads((file.metadata() or {}).get(HEADER_KEY, "{}"))
    except (UserError, ValueError, RecursionError):
        return None
    kind = header.get("kind") if isinstance(header, dict) else None
    return kind if isinstance(kind, str) else None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors, on the CPU, and the metadata of any safetensors file.

    Raises:
        UserError: not a safetensors file.
    """
    with _opened(path) as file:
        names = list(file.keys())
        if len(names) > MAX_MODULES:
            raise UserError(f"{path} has {len(names):,} tensors, far more than any generator")
        for name in names:
            # An axis of length zero does not keep torch from multiplying the others.
            sides = (max(side, 1) for side in file.get_slice(name).get_shape())
            if math.prod(sides) > MAX_TENSOR_NUMBERS:
                raise UserError(f"{path} has a tensor of an odd shape, {shown(name)}")
        return {name: file.get_tensor(name) for name in names}, file.metadata() or {}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, with one clear line for whatever its reader finds wrong."""
    try:
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if header > MAX_HEADER_BYTES:
            raise UserError(
                f"{path} cannot be read as safetensors: its header would have {header:,} bytes"
            )
        with safe_open(path, framework="pt") as opened:
            yield opened
    except UserError:
        raise
    # Besides the reader's own error, types and shapes that torch doesn't know raise any other.
    except Exception as error:
        reason = shown(str(error), 120)
        raise UserError(f"{path} cannot be read as safetensors: {reason}") from error


def load_weights(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Give `module` its weights, with one clear line if they don't fit.

    Args:
        module: on any device; its parameters and buffers are replaced, on the CPU.
        tensors: state dict; numbers of other types are converted.
        path: of the file, for messages.

    Raises:
        UserError: names or shapes differ from the module's, or a number is not finite.
    """
    own = module.state_dict()
    missing = sorted(own.keys() - tensors.keys())
    surplus = sorted(tensors.keys() - own.keys())
    if missing or surplus:
        lacking = (
            f"lacks {shown(missing[0])}"
            if missing
            else f"has an unknown tensor {shown(surplus[0])}"
        )
        raise UserError(f"the weights in {path} do not fit its sizes: the file {lacking}")
    for name, tensor in own.items():
        if tensors[name].shape != tensor.shape:
            raise UserError(
                f"the weights in {path} do not fit its sizes: {shown(name)} has shape "
                f"{tuple(tensors[name].shape)}, expected {tuple(tensor.shape)}"
            )
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if total > _SHARED * path.stat().st_size + _SMALL:
        raise UserError(f"{path} cannot be trusted: its tensors share far more than they have")
    converted = {}
    for name, tensor in own.items():
        if tensors[name].dtype not in _NUMBERS:
            raise UserError(f"{path} holds numbers of an odd type, in {shown(name)}")
        if tensors[name].is_floating_point() and not bool(tensors[name].isfinite().all()):
            raise UserError(f"{path} holds numbers that are not finite, in {shown(name)}")
        converted[name] = tensors[name].to("cpu", tensor.dtype, copy=True).contiguous()
    module.load_state_dict(converted, assign=True)
