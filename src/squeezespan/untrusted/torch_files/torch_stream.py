"""The stream that `torch.save` wrote before it wrote zip archives.

The same stream, with one storage and nothing else, stands inside module pickles for every storage.
It is checked here in full before torch reads it: torch allocates what a stream declares.
"""

import io
import mmap
from collections.abc import Callable
from typing import IO, Any

import torch
from torch import Tensor

from squeezespan.untrusted.names import is_name
from squeezespan.untrusted.pickles.class_names import STORAGE_DTYPES
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_OPCODES, MAX_SMALL_OPCODES
from squeezespan.untrusted.pickles.symbols import TORCH_SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.pickles.values import StorageRecord, Symbol
from squeezespan.untrusted.torch_files.weights_only import check_protocol, load_weights_only
from squeezespan.untrusted.wording import shown

__all__ = ["MAGIC", "declared_storages", "element_size", "read_storage", "read_stream"]

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


def element_size(dtype: str) -> int:
    """Bytes of one number of a torch type, given by name."""
    found: torch.dtype = getattr(torch, dtype)
    return found.itemsize


def declared_storages(storages: dict[str, StorageRecord]) -> Callable[[Any], StorageRecord]:
    """Make the function that reads a persistent id of torch and notes its storage.

    Args:
        storages: filled with key to record.
    """

    def read(name: Any) -> StorageRecord:
        if not isinstance(name, tuple) or not 5 <= len(name) <= 6 or name[0] != "storage":
            raise MalformedError("it has a persistent id that is not a tensor's storage")
        _, kind, key, location, elements = name[:5]
        if not isinstance(kind, Symbol) or kind.name not in STORAGE_DTYPES:
            raise MalformedError("it has a storage of an unknown type")
        # torch reads old text of other characters in another way.
        texts = is_name(key) and type(location) is str
        if not texts or type(elements) is not int or not 0 <= elements < 1 << 48:
            raise MalformedError("it describes a storage in an odd way")
        if len(name) == 6 and name[5] is not None:
            raise MalformedError("it has views of storages, which torch no longer reads")
        record = StorageRecord(None, key, STORAGE_DTYPES[kind.name], elements)
        earlier = storages.setdefault(key, record)
        if (earlier.dtype, earlier.elements) != (record.dtype, record.elements):
            raise MalformedError(f"it describes storage {shown(key)} in two ways")
        return record

    return read


def read_stream(file: IO[bytes]) -> Any:
    """Read a file of this kind.

    Args:
        file: an open file of the operating system.

    Returns:
        the content, tensors on the CPU.

    Raises:
        MalformedError: damaged, or not such a file.
    """
    _check_stream(Cursor(file), MAX_OPCODES)
    # Unlike the file itself, torch does not take its memory map for a tar archive, which it would
    # unpack: a file can be both.
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return load_weights_only(view)


def _check_stream(cursor: Cursor, most: int) -> Any:
    """Go through a stream up to its end without reading the numbers.

    Args:
        cursor: at the stream's begin; its end must be the stream's.
        most: instructions of the content.

    Returns:
        the content, tensors as records.

    Raises:
        MalformedError: not such a stream, cut short, or with sizes that don't agree.
    """
    beginning = RestrictedUnpickler(cursor, {}, most=MAX_SMALL_OPCODES)
    if beginning.load() != MAGIC:
        raise MalformedError("it is not a file of torch.save", cursor.position)
    check_protocol(beginning.protocol)
    if RestrictedUnpickler(cursor, {}, most=MAX_SMALL_OPCODES).load() != _VERSION:
        raise MalformedError("it is of an unknown version of torch.save", cursor.position)
    system = RestrictedUnpickler(cursor, {}, most=MAX_SMALL_OPCODES).load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise MalformedError("it was written on an unknown kind of machine", cursor.position)
    storages: dict[str, StorageRecord] = {}
    read = declared_storages(storages)
    content = RestrictedUnpickler(cursor, TORCH_SYMBOLS, read, most).load()
    keys = RestrictedUnpickler(cursor, {}, most=MAX_SMALL_OPCODES + 4 * len(storages)).load()
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise MalformedError("its list of storages is damaged", cursor.position)
    if len(keys) != len(storages) or set(keys) != storages.keys():
        raise MalformedError("its list of storages does not fit its tensors", cursor.position)
    for key in keys:
        elements = int.from_bytes(cursor.take(8), "little")
        if elements != storages[key].elements:
            raise MalformedError(
                f"a storage has {elements:,} numbers, not {storages[key].elements:,}",
                cursor.position,
            )
        cursor.skip(elements * element_size(storages[key].dtype))
    if cursor.left:
        raise MalformedError(
            f"{cursor.left:,} bytes follow the end of the weights", cursor.position
        )
    return content


def read_storage(data: bytes, offset: int) -> Tensor:
    """Read a stream that holds one storage and nothing else.

    Args:
        data: the stream.
        offset: where it begins in its file, for the message.

    Returns:
        the numbers, on the CPU, in one axis.

    Raises:
        MalformedError: damaged, or not a storage.
    """
    try:
        content = _check_stream(Cursor(io.BytesIO(data)), MAX_SMALL_OPCODES)
        if not isinstance(content, StorageRecord):
            raise MalformedError("it is not a storage")
        storage = load_weights_only(io.BytesIO(data))
    except MalformedError as error:
        raise MalformedError(
            f"the tensor's storage at byte {offset:,} is damaged: {error}"
        ) from error
    return torch.empty(0, dtype=getattr(torch, content.dtype)).set_(storage)
