"""The stream that `torch.save` wrote before it wrote zip archives.

The same stream, with one storage and nothing else, stands inside module pickles for every storage.
"""

from typing import Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_OPCODES, MAX_SMALL_OPCODES
from squeezespan.untrusted.pickles.unpickler import unpickle
from squeezespan.untrusted.pickles.values import StorageRecord
from squeezespan.untrusted.torch_files.storages import DeclaredStorages, element_type

__all__ = ["MAGIC", "read_storage", "read_stream"]

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


def read_stream(cursor: Cursor, most: int = MAX_OPCODES) -> Any:
    """Read a stream up to its end.

    Args:
        cursor: behind the magic number; its end must be the stream's.
        most: instructions of the content.

    Returns:
        the content, tensors as records of which the storages have their numbers.

    Raises:
        MalformedError: not such a stream, cut short, or with sizes that don't agree.
    """
    if unpickle(cursor, most=MAX_SMALL_OPCODES) != _VERSION:
        raise MalformedError("it is of an unknown version of torch.save", cursor.position)
    system = unpickle(cursor, most=MAX_SMALL_OPCODES)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise MalformedError("it was not written on a little-endian machine", cursor.position)
    storages = DeclaredStorages()
    content = unpickle(cursor, storages.declare, most)
    keys = unpickle(cursor, most=MAX_SMALL_OPCODES + 4 * len(storages))
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise MalformedError("its list of storages is damaged", cursor.position)
    if len(keys) != len(storages) or set(keys) != storages.keys():
        raise MalformedError("its list of storages does not fit its tensors", cursor.position)
    for storage in map(storages.__getitem__, keys):
        elements = cursor.unsigned(8)
        if elements != storage.elements:
            raise MalformedError(
                f"a storage has {elements:,} numbers, not {storage.elements:,}", cursor.position
            )
        storage.data = cursor.view(elements * element_type(storage.dtype).itemsize)
    if cursor.left:
        raise MalformedError(
            f"{cursor.left:,} bytes follow the end of the weights", cursor.position
        )
    return content


def read_storage(stream: memoryview) -> StorageRecord:
    """Read a stream that holds one storage and nothing else.

    Raises:
        MalformedError: damaged, or not a storage.
    """
    cursor = Cursor(stream)
    try:
        if unpickle(cursor, most=MAX_SMALL_OPCODES) != MAGIC:
            raise MalformedError("it is not a file of torch.save", cursor.position)
        content = read_stream(cursor, MAX_SMALL_OPCODES)
    except MalformedError as error:
        raise MalformedError(f"the tensor's storage is damaged: {error}") from error
    if not isinstance(content, StorageRecord) or content.data is None:
        raise MalformedError("the tensor's storage is damaged: it is something else")
    return content
