"""The stream that `torch.save` wrote before it wrote zip archives.

The same stream, with one storage and nothing else, stands inside module pickles for every storage.
"""

from typing import Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_OPCODES, MAX_SMALL_OPCODES
from squeezespan.untrusted.pickles.symbols import SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.pickles.values import StorageRecord
from squeezespan.untrusted.torch_files.storages import declared_storages, element_type

__all__ = ["MAGIC", "read_storage", "read_stream"]

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


def read_stream(cursor: Cursor, most: int = MAX_OPCODES) -> tuple[Any, dict[str, int]]:
    """Read a stream up to its end, all but the numbers.

    Args:
        cursor: behind the magic number; its end must be the stream's.
        most: instructions of the content.

    Returns:
        the content, tensors as records; and where in the file the numbers of each storage begin.

    Raises:
        MalformedError: not such a stream, cut short, or with sizes that don't agree.
    """
    if _small(cursor) != _VERSION:
        raise MalformedError("it is of an unknown version of torch.save", cursor.position)
    system = _small(cursor)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise MalformedError("it was not written on a little-endian machine", cursor.position)
    storages: dict[str, StorageRecord] = {}
    content = RestrictedUnpickler(cursor, SYMBOLS, declared_storages(storages), most).load()
    keys = _small(cursor, 4 * len(storages))
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise MalformedError("its list of storages is damaged", cursor.position)
    if len(keys) != len(storages) or set(keys) != storages.keys():
        raise MalformedError("its list of storages does not fit its tensors", cursor.position)
    places = {}
    for key in keys:
        elements = int.from_bytes(cursor.take(8), "little")
        if elements != storages[key].elements:
            raise MalformedError(
                f"a storage has {elements:,} numbers, not {storages[key].elements:,}",
                cursor.position,
            )
        places[key] = cursor.position
        cursor.skip(elements * element_type(storages[key].dtype).itemsize)
    if cursor.left:
        raise MalformedError(
            f"{cursor.left:,} bytes follow the end of the weights", cursor.position
        )
    return content, places


def read_storage(cursor: Cursor, offset: int) -> tuple[StorageRecord, int]:
    """Read a stream that holds one storage and nothing else.

    Args:
        cursor: at the stream's begin; its end must be the stream's.
        offset: where it stands in the checkpoint, for the message.

    Returns:
        the storage, and where its numbers begin.

    Raises:
        MalformedError: damaged, or not a storage.
    """
    try:
        if _small(cursor) != MAGIC:
            raise MalformedError("it is not a file of torch.save", cursor.position)
        content, places = read_stream(cursor, MAX_SMALL_OPCODES)
        if not isinstance(content, StorageRecord):
            raise MalformedError("it is not a storage")
    except MalformedError as error:
        raise MalformedError(
            f"the tensor's storage at byte {offset:,} is damaged: {error}"
        ) from error
    return content, places[content.key]


def _small(cursor: Cursor, more: int = 0) -> Any:
    """A pickle of a few plain values."""
    return RestrictedUnpickler(cursor, {}, most=MAX_SMALL_OPCODES + more).load()
