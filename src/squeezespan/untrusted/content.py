"""Reading a file of any format into inert data, without running anything it holds."""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from squeezespan.errors import UserError
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.unpickler import unpickle
from squeezespan.untrusted.safetensors import read_safetensors
from squeezespan.untrusted.sniff import container_of
from squeezespan.untrusted.torch_files.archive import read_archive
from squeezespan.untrusted.torch_files.torch_stream import MAGIC, read_stream

__all__ = ["Content", "read_content"]


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    format: str
    """For people."""
    value: Any
    """Numbers, text, containers of such, and the records of `pickles.values`; of safetensors the
    tensors by name."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Of safetensors."""


def read_content(path: Path) -> Content:
    """Read a file, which is opened once and must stay as it is: the records point into it.

    Args:
        path: of the file.

    Raises:
        UserError: it cannot be read, is of another format, damaged, larger than any checkpoint, or
            asks for something that no checkpoint needs.
    """
    try:
        with path.open("rb") as file:
            data = _mapped(path, file)
            container = container_of(path, data)
            if container == "safetensors":
                return Content("safetensors", *read_safetensors(path))
            if container == "zip":
                return Content("torch.save archive", read_archive(file, data))
            return _read_pickle(data)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except MalformedError as error:
        raise UserError(f"{path} cannot be read as a checkpoint: {error}") from error


def _mapped(path: Path, file: IO[bytes]) -> memoryview:
    """The bytes of the file, of which those that nobody uses are never read.

    What is written to them stays in memory.
    """
    if not os.fstat(file.fileno()).st_size:
        raise UserError(f"{path} is empty")
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def _read_pickle(data: memoryview) -> Content:
    cursor = Cursor(data)
    value = unpickle(cursor)
    if type(value) is int and value == MAGIC:
        return Content("torch.save file of the old kind", read_stream(cursor))
    if cursor.left:
        raise MalformedError(f"{cursor.left:,} bytes follow the end of the pickle", cursor.position)
    return Content(f"pickle (protocol {data[1] if data[0] == 0x80 else 0})", value)
