"""Reading tar archives front to back, without unpacking them and without trusting them."""

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from squeezespan.data.sources.members import (
    DAMAGE,
    check_size,
    not_a_file,
    safe_name,
    unreadable,
)
from squeezespan.errors import UserError

__all__ = ["Shelf", "TarMember", "read_tar"]

_LARGEST_HEADER = 2**20
_LONG_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


@dataclass(frozen=True)
class TarMember:
    """A file in a tar archive."""

    name: str
    size: int
    offset: int
    """Where its bytes begin in the archive, once that is not compressed."""
    read: Callable[[], bytes]
    """Gives its bytes, until the next member is asked for."""


class Shelf:
    """Where the bytes of tar members can be had again, by index.

    Members of a plain tar stay in their file, those of a compressed one are kept in memory.

    Args:
        limit: bytes that may be kept in memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = 0
        self._items: list[bytes | tuple[Path, int, int]] = []

    def add(self, archive: Path, member: TarMember) -> None:
        """Put a member on the shelf, at the next index.

        Raises:
            UserError: the compressed archive holds more than may be kept.
        """
        if _is_plain(archive):
            self._items.append((archive, member.offset, member.size))
            return
        self._kept += member.size
        if self._kept > self._limit:
            raise UserError(
                f"{archive} holds more than the {self._limit / 2**30:.3g} GiB that may be kept in "
                "memory, and a compressed tar cannot be read image by image; unpack it, or make "
                "it a plain .tar or a .zip"
            )
        self._items.append(member.read())

    def read(self, index: int) -> bytes:
        """Give the bytes of the member at `index`."""
        item = self._items[index]
        if isinstance(item, bytes):
            return item
        path, offset, size = item
        try:
            with path.open("rb") as stream:
                stream.seek(offset)
                return stream.read(size)
        except OSError as error:
            raise unreadable(path, error) from error


def read_tar(path: Path, folders: set[str] | None = None) -> Iterator[TarMember]:
    """Go through the files of a tar archive, compressed or not.

    Args:
        path: of the archive; its name tells whether it is compressed.
        folders: gets the names of the folders that pass by.

    Raises:
        UserError: not a readable archive; a member whose path climbs out, that is a link or a
            device, or too large.
    """
    try:
        # Only a stream never goes back, which would unpack a compressed file again from its start.
        with (
            tarfile.open(path, "r:", tarinfo=_BoundedHeader)
            if _is_plain(path)
            else tarfile.open(path, "r|*", tarinfo=_BoundedHeader)
        ) as archive:
            while (member := archive.next()) is not None:
                name = safe_name(member.name, path)
                if member.isdir():
                    if folders is not None:
                        folders.add(name)
                    continue
                if not member.isreg() or member.issparse():
                    raise not_a_file(name, path)
                check_size(member.size, name, path)
                reader = _Reader(path, archive, member)
                yield TarMember(name, member.size, member.offset_data, reader)
                # It would remember every member, which adds up over millions of them.
                archive.members = []  # type: ignore[attr-defined]  # typeshed lacks it
            # Nothing else tells of a plain tar that was cut off between two members.
            if _is_plain(path) and path.stat().st_size < archive.offset + tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it is cut short")
    except DAMAGE as error:
        raise unreadable(path, error) from error


def _is_plain(path: Path) -> bool:
    return path.name.lower().endswith(".tar")


@dataclass(frozen=True)
class _Reader:
    path: Path
    archive: tarfile.TarFile
    member: tarfile.TarInfo

    def __call__(self) -> bytes:
        try:
            stream = self.archive.extractfile(self.member)
            data = b"" if stream is None else stream.read()
        except DAMAGE as error:
            raise unreadable(self.path, error) from error
        return data


class _BoundedHeader(tarfile.TarInfo):
    """A header whose long name or attributes cannot fill the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _LONG_HEADERS and header.size > _LARGEST_HEADER:
            raise tarfile.ReadError("a header is larger than any real one")
        return header
