"""Reading a file of any format into inert data, without running anything it holds."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.symbols import SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.safetensors import read_safetensors
from squeezespan.untrusted.sniff import container_of
from squeezespan.untrusted.torch_files.archive import read_archive
from squeezespan.untrusted.torch_files.storage_reader import StorageReader
from squeezespan.untrusted.torch_files.torch_stream import MAGIC, read_stream

__all__ = ["Content", "Tensors", "read_content"]


@dataclass(frozen=True)
class Content:
    """What a pickle or a file of `torch.save` holds."""

    format: str
    """For people."""
    value: Any
    """Numbers, text, containers of such, and the records of `pickles.values`."""
    storages: StorageReader
    """Makes tensors of the records, as long as the file stays as it is."""


@dataclass(frozen=True)
class Tensors:
    """What a safetensors file holds."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read_content(path: Path) -> Content | Tensors:
    """Read a file, which is opened once.

    Args:
        path: of the file.

    Raises:
        UserError: it cannot be read, is of another format, damaged, larger than any checkpoint, or
            asks for something that no checkpoint needs.
    """
    try:
        with path.open("rb") as file:
            container = container_of(path, file)
            if container == "safetensors":
                return Tensors(*read_safetensors(path))
            if container == "zip":
                kind = "torch.save archive"
                value, places = read_archive(file, os.fstat(file.fileno()).st_size)
            else:
                kind, value, places = _read_pickle(file)
            return Content(kind, value, StorageReader(file, places))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except MalformedError as error:
        raise UserError(f"{path} cannot be read as a checkpoint: {error}") from error


def _read_pickle(file: IO[bytes]) -> tuple[str, Any, dict[str, int]]:
    cursor = Cursor(file, 0, os.fstat(file.fileno()).st_size)
    unpickler = RestrictedUnpickler(cursor, SYMBOLS)
    value = unpickler.load()
    if type(value) is int and value == MAGIC:
        return "torch.save file of the old kind", *read_stream(cursor)
    if cursor.left:
        raise MalformedError(f"{cursor.left:,} bytes follow the end of the pickle", cursor.position)
    return f"pickle (protocol {unpickler.protocol})", value, {}
