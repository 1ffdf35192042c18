"""Zip archives of `torch.save`, taken apart and put together again with anything changed."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

__all__ = ["Change", "entry", "pack", "patched", "unpack"]

Change = Callable[[zipfile.ZipInfo], object]
_END = struct.Struct("<4s4H2LH")


def unpack(content: Any) -> dict[str, bytes]:
    """Save with torch and give the entries of the archive."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entry(
    name: str, *, compression: int = zipfile.ZIP_STORED, extra: bytes = b"", mode: int = 0
) -> zipfile.ZipInfo:
    """Describe an entry."""
    info = zipfile.ZipInfo(name)
    info.compress_type = compression
    info.extra = extra
    info.external_attr = mode << 16
    return info


def pack(
    entries: Mapping[str, bytes] | Iterable[tuple[zipfile.ZipInfo, bytes]], comment: bytes = b""
) -> bytes:
    """Make an archive as Python does, stored and with a plain end."""
    if isinstance(entries, Mapping):
        entries = [(entry(name), data) for name, data in entries.items()]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)
        archive.comment = comment
    return buffer.getvalue()


def patched(
    archive: bytes,
    *,
    name: bytes | None = None,
    field: int = 0,
    form: str = "<H",
    value: int = 0,
    end: Mapping[int, int] | None = None,
) -> bytes:
    """Overwrite numbers of the table of content.

    Args:
        archive: of `pack`, without a comment.
        name: of the entry whose record is changed; None for none.
        field: where in its record the number stands.
        form: of the number.
        value: the new one.
        end: index to value of the fields of the end: 3 and 4 are counts of entries, 5 the table's
            size, 6 its place.
    """
    data = bytearray(archive)
    place = len(data) - _END.size
    fields = list(_END.unpack_from(data, place))
    if name is not None:
        record = data.index(b"PK\1\2", fields[6])
        while data[record + 46 : record + 46 + len(name)] != name:
            record = data.index(b"PK\1\2", record + 4)
        struct.pack_into(form, data, record + field, value)
    for index, number in (end or {}).items():
        fields[index] = number
    _END.pack_into(data, place, *fields)
    return bytes(data)
