"""The zip archive that `torch.save` writes: one pickle, and an entry for every storage."""

import io
import struct
import zipfile
from pathlib import PurePosixPath
from typing import IO, Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_PICKLE_BYTES
from squeezespan.untrusted.pickles.symbols import SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.pickles.values import StorageRecord
from squeezespan.untrusted.torch_files.storages import declared_storages, element_type
from squeezespan.untrusted.torch_files.zip_directory import Member, checked_members
from squeezespan.untrusted.wording import shown

__all__ = ["read_archive"]


def read_archive(file: IO[bytes], size: int) -> tuple[Any, dict[str, int]]:
    """Read an archive of `torch.save`, all but the numbers.

    Args:
        file: the open archive.
        size: of the archive, bytes.

    Returns:
        the content, tensors as records; and where in the file the numbers of each storage begin.

    Raises:
        MalformedError: not such an archive, cut short, or with sizes that don't agree.
    """
    try:
        members = checked_members(file, size)
    # The module has its own error for a few defects and lets those of its parts through for others.
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise MalformedError(f"it is a damaged zip archive: {error}") from error
    except (struct.error, RuntimeError, LookupError) as error:
        raise MalformedError("it is a damaged zip archive") from error
    root = _root(members)
    order = members.get(f"{root}byteorder")
    if order is not None and (order.size > 6 or _read(file, order) != b"little"):
        raise MalformedError("it was not written on a little-endian machine")
    pickled = members[f"{root}data.pkl"]
    if pickled.size > MAX_PICKLE_BYTES:
        raise MalformedError("its pickle is larger than any checkpoint's")
    storages: dict[str, StorageRecord] = {}
    cursor = Cursor(io.BytesIO(_read(file, pickled)), 0, pickled.size)
    content = RestrictedUnpickler(cursor, SYMBOLS, declared_storages(storages)).load()
    if cursor.left:
        raise MalformedError(f"{cursor.left:,} bytes follow the end of its pickle")
    return content, {key: _place(x, members, root) for key, x in storages.items()}


def _root(members: dict[str, Member]) -> str:
    """The folder that everything stands in, with a slash."""
    pickles = [name for name in members if PurePosixPath(name).name.lower() == "data.pkl"]
    if len(pickles) != 1 or not pickles[0].endswith("/data.pkl"):
        raise MalformedError("it is a zip archive, but not one of torch.save")
    root = pickles[0].removesuffix("data.pkl")
    if root.count("/") != 1 or not all(name.startswith(root) for name in members):
        raise MalformedError("its zip archive has entries outside its folder")
    if any(name.removeprefix(root).lower() != name.removeprefix(root) for name in members):
        raise MalformedError("its zip archive has an entry with an odd name")
    return root


def _place(storage: StorageRecord, members: dict[str, Member], root: str) -> int:
    member = members.get(f"{root}data/{storage.key}")
    expected = storage.elements * element_type(storage.dtype).itemsize
    if member is None or member.size != expected:
        found = "nothing" if member is None else f"{member.size:,} bytes"
        raise MalformedError(
            f"its storage {shown(storage.key)} should have {expected:,} bytes, not {found}"
        )
    return member.begin


def _read(file: IO[bytes], member: Member) -> bytes:
    return Cursor(file, member.begin, member.begin + member.size).take(member.size)
