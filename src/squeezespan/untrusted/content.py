"""Reading a pickle or a file of `torch.save` into inert data, without running anything it holds."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.symbols import SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.torch_files.archive import read_archive
from squeezespan.untrusted.torch_files.storage_reader import StorageReader
from squeezespan.untrusted.torch_files.torch_stream import MAGIC, read_stream

__all__ = ["Content", "read_content"]


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    format: str
    """For people."""
    value: Any
    """Numbers, text, containers of such, and the records of `pickles.values`."""
    storages: StorageReader
    """Makes tensors of the records, as long as the file stays as it is."""


def read_content(path: Path, *, zipped: bool) -> Content:
    """Read a file.

    Args:
        path: of the file.
        zipped: whether it is a zip archive.

    Raises:
        MalformedError: damaged, larger than any checkpoint, or it asks for something that no
            checkpoint needs.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if zipped:
            value, places = read_archive(file, os.fstat(file.fileno()).st_size)
            return Content("torch.save archive", value, StorageReader(file, places))
        kind, value, places = _read_pickle(file)
        return Content(kind, value, StorageReader(file, places))


def _read_pickle(file: IO[bytes]) -> tuple[str, Any, dict[str, int]]:
    cursor = Cursor(file, 0, os.fstat(file.fileno()).st_size)
    unpickler = RestrictedUnpickler(cursor, SYMBOLS)
    value = unpickler.load()
    if type(value) is int and value == MAGIC:
        return "torch.save file of the old kind", *read_stream(cursor)
    if cursor.left:
        raise MalformedError(f"{cursor.left:,} bytes follow the end of the pickle", cursor.position)
    return f"pickle (protocol {unpickler.protocol})", value, {}
