"""The table of content of a zip archive as `torch.save` writes it, and no other.

Other data before or behind the table, repeated or hidden names and entries that share bytes are
refused: another reader could understand such an archive differently.
"""

import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.limits import MAX_HEADER_BYTES, MAX_ZIP_ENTRIES

__all__ = ["Member", "checked_members"]

_END = struct.Struct("<4s4H2LH")
_LARGE_LOCATOR = struct.Struct("<4sLQL")
_LARGE_END = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s5H3L2H")
_LARGE_EXTRA = 1
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Member:
    """Where an entry's content stands in the archive."""

    begin: int
    size: int


def checked_members(archive: IO[bytes], size: int) -> dict[str, Member]:
    """Give an archive's entries by name.

    Args:
        archive: the open file.
        size: of the archive, bytes.

    Raises:
        MalformedError: it is not as torch writes archives.
        zipfile.BadZipFile: it is damaged.
    """
    begin, count = _check_end(archive, size)
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
    names = {entry.filename.lower() for entry in entries}
    if any(name.endswith("/constants.pkl") for name in names):
        raise MalformedError(
            "it is a TorchScript program; save the generator's state_dict() instead"
        )
    if len(entries) != count or len(names) != count:
        raise MalformedError("its zip archive has repeated or hidden entries")
    position, members = 0, {}
    for entry in sorted(entries, key=lambda x: x.header_offset):
        _check_entry(entry)
        start = _content_start(archive, entry)
        if entry.header_offset < position or start + entry.file_size > begin:
            raise MalformedError("its zip archive has entries that share their bytes")
        position = start + entry.file_size
        # torch can be told to write no checksums, and then writes zeros.
        if entry.CRC and _checksum(archive, start, entry.file_size) != entry.CRC:
            raise MalformedError(f"it is damaged: {entry.filename} is not as it was written")
        members[entry.filename] = Member(start, entry.file_size)
    return members


def _check_end(archive: IO[bytes], size: int) -> tuple[int, int]:
    """Give where the table of content begins and how many entries it has."""
    cut = MalformedError("it is a zip archive that is cut short or does not end as torch's do")
    if size < _END.size:
        raise cut
    end_at = size - _END.size
    magic, disk, first_disk, here, count, length, begin, comment = _END.unpack(
        _read(archive, end_at, _END.size)
    )
    if magic != b"PK\5\6" or disk or first_disk or here != count or comment:
        raise cut
    large_at = end_at - _LARGE_LOCATOR.size - _LARGE_END.size
    if large_at >= 0:
        data = _read(archive, large_at, end_at - large_at)
        locator = _LARGE_LOCATOR.unpack(data[_LARGE_END.size :])
        if locator[0] == b"PK\6\7":
            large = _LARGE_END.unpack(data[: _LARGE_END.size])
            if locator[1:] != (0, large_at, 1) or large[0] != b"PK\6\6" or large[1] != 44:
                raise cut
            if large[4] or large[5] or large[6] != large[7]:
                raise cut
            small = count, length, begin
            count, length, begin = large[7:]
            # Each number stands in both places unless it is too large for the older one.
            limits = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
            pairs = zip(small, (count, length, begin), limits, strict=True)
            if any(old not in (new, limit) for old, new, limit in pairs):
                raise cut
            end_at = large_at
    if begin + length != end_at:
        raise cut
    if count > MAX_ZIP_ENTRIES or length > MAX_HEADER_BYTES:
        raise MalformedError("its zip archive has very many entries")
    return begin, count


def _check_entry(member: zipfile.ZipInfo) -> None:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise MalformedError("its zip archive is compressed, which torch.save never does")
    if member.flag_bits & 1:
        raise MalformedError("its zip archive is encrypted")
    name = member.filename
    is_plain = name.isascii() and name.isprintable() and member.orig_filename == name
    if not is_plain or {"", ".", ".."} & set(name.split("/")):
        raise MalformedError("its zip archive has an entry with an odd name")
    extra, found = member.extra, 0
    while len(extra) >= 4:
        kind, length = struct.unpack("<2H", extra[:4])
        found += kind == _LARGE_EXTRA
        extra = extra[4 + length :]
    if found > 1:
        raise MalformedError("its zip archive describes an entry twice")


def _content_start(archive: IO[bytes], member: zipfile.ZipInfo) -> int:
    fields = _LOCAL.unpack(_read(archive, member.header_offset, _LOCAL.size))
    name_length, extra_length = int(fields[-2]), int(fields[-1])
    name = _read(archive, member.header_offset + _LOCAL.size, name_length)
    if fields[0] != b"PK\3\4" or name != member.filename.encode("ascii"):
        raise MalformedError("its zip archive has an entry that is not where it should be")
    return member.header_offset + _LOCAL.size + name_length + extra_length


def _checksum(archive: IO[bytes], start: int, length: int) -> int:
    archive.seek(start, os.SEEK_SET)
    checksum = 0
    while length:
        data = archive.read(min(length, _CHUNK))
        if not data:
            raise MalformedError("its zip archive points beyond its end")
        checksum = zlib.crc32(data, checksum)
        length -= len(data)
    return checksum


def _read(archive: IO[bytes], position: int, length: int) -> bytes:
    archive.seek(position, os.SEEK_SET)
    data = archive.read(length)
    if len(data) != length:
        raise MalformedError("its zip archive points beyond its end")
    return data
