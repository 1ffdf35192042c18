"""The zip archive that `torch.save` writes: one pickle, and an entry for every storage.

What torch does not write is refused, such as entries that are compressed, hidden or in each other.
"""

import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import (
    MAX_HEADER_BYTES,
    MAX_PICKLE_BYTES,
    MAX_ZIP_ENTRIES,
)
from squeezespan.untrusted.pickles.unpickler import unpickle
from squeezespan.untrusted.torch_files.storages import DeclaredStorages, element_type
from squeezespan.untrusted.wording import shown

__all__ = ["read_archive"]

_END = struct.Struct("<4s4H2LH")
_LARGE_END = struct.Struct("<4sQ2H2L4Q4sLQL")
"""With the locator that follows it."""
_LOCAL = struct.Struct("<4s5H3L2H")
_LARGE_EXTRA = 1

_Members = dict[str, memoryview]


def read_archive(file: IO[bytes], data: memoryview) -> Any:
    """Read an archive of `torch.save`.

    Args:
        file: the open archive.
        data: its bytes.

    Returns:
        the content, tensors as records of which the storages have their numbers.

    Raises:
        MalformedError: not such an archive, cut short, or with sizes that don't agree.
    """
    try:
        members = _members(file, data)
    # The module has its own error for a few defects and lets those of its parts through for others.
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise MalformedError(f"it is a damaged zip archive: {error}") from error
    except (struct.error, RuntimeError, LookupError) as error:
        raise MalformedError("it is a damaged zip archive") from error
    root = _root(members)
    if members.get(f"{root}byteorder", b"little") != b"little":
        raise MalformedError("it was not written on a little-endian machine")
    if len(members[f"{root}data.pkl"]) > MAX_PICKLE_BYTES:
        raise MalformedError("its pickle is larger than any checkpoint's")
    storages = DeclaredStorages()
    cursor = Cursor(members[f"{root}data.pkl"])
    content = unpickle(cursor, storages.declare)
    if cursor.left:
        raise MalformedError(f"{cursor.left:,} bytes follow the end of its pickle")
    for key, storage in storages.items():
        storage.data = members.get(f"{root}data/{key}")
        expected = storage.elements * element_type(storage.dtype).itemsize
        if storage.data is None or len(storage.data) != expected:
            found = "nothing" if storage.data is None else f"{len(storage.data):,} bytes"
            raise MalformedError(
                f"its storage {shown(key)} should have {expected:,} bytes, not {found}"
            )
    return content


def _root(members: _Members) -> str:
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


def _members(file: IO[bytes], data: memoryview) -> _Members:
    """The bytes of the entries by name, checked against their checksums."""
    table, count = _table(data)
    with zipfile.ZipFile(file) as archive:
        entries = sorted(archive.infolist(), key=lambda x: x.header_offset)
    names = {entry.filename.lower() for entry in entries}
    if any(name.endswith("/constants.pkl") for name in names):
        raise MalformedError(
            "it is a TorchScript program; save the generator's state_dict() instead"
        )
    if len(entries) != count or len(names) != count:
        raise MalformedError("its zip archive has repeated or hidden entries")
    members, end = {}, 0
    for entry in entries:
        _check_entry(entry)
        if entry.header_offset < end:
            raise MalformedError("its zip archive has entries that share their bytes")
        magic, *_, name_length, extra_length = _LOCAL.unpack_from(data, entry.header_offset)
        begin = entry.header_offset + _LOCAL.size + name_length
        name = bytes(data[begin - name_length : begin])
        begin += extra_length
        end = begin + entry.file_size
        if magic != b"PK\3\4" or name != entry.filename.encode() or end > table:
            raise MalformedError("its zip archive has an entry that is not where it should be")
        # torch can be told to write no checksums, and then writes zeros.
        if entry.CRC and zlib.crc32(data[begin:end]) != entry.CRC:
            raise MalformedError(f"it is damaged: {entry.filename} is not as it was written")
        members[entry.filename] = data[begin:end]
    return members


def _table(data: memoryview) -> tuple[int, int]:
    """Give where the table of content begins and how many entries it has.

    A small file could claim a large table, which has to be known before it is read.
    """
    end = len(data) - _END.size
    magic, *_, count, length, begin, comment = _END.unpack_from(data, max(end, 0))
    large = end - _LARGE_END.size
    if large >= 0:
        found = _LARGE_END.unpack_from(data, large)
        if (found[0], found[10]) == (b"PK\6\6", b"PK\6\7"):
            end, count, length, begin = large, *found[7:10]
    if magic != b"PK\5\6" or comment or begin + length != end:
        raise MalformedError("it is a zip archive that is cut short or does not end as torch's do")
    if count > MAX_ZIP_ENTRIES or length > MAX_HEADER_BYTES:
        raise MalformedError("its zip archive has very many entries")
    return begin, count


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise MalformedError("its zip archive is compressed, which torch.save never does")
    if entry.flag_bits & 1:
        raise MalformedError("its zip archive is encrypted")
    name = entry.filename
    is_plain = name.isascii() and name.isprintable() and entry.orig_filename == name
    if not is_plain or {"", ".", ".."} & set(name.split("/")):
        raise MalformedError("its zip archive has an entry with an odd name")
    extra, sizes = entry.extra, 0
    while len(extra) >= 4:
        kind, length = struct.unpack("<2H", extra[:4])
        sizes += kind == _LARGE_EXTRA
        extra = extra[4 + length :]
    if sizes > 1:
        raise MalformedError("its zip archive describes an entry twice")
