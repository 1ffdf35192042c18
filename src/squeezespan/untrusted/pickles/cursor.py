"""Reading a stretch of a file in order, never past its end and never more than is there."""

import os
from dataclasses import dataclass
from typing import IO

from squeezespan.untrusted.wording import shown

__all__ = ["INLINE_BYTES", "Blob", "Cursor", "MalformedError"]

INLINE_BYTES = 512
"""Blobs up to this size are read at once: NumPy's numbers and the small arrays of attributes."""

_LINE = 16 << 20
_MESSAGE = 300


class MalformedError(Exception):
    """A stream that cannot be read: why, on one line, and at which byte of the file."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        self.position = position
        reason = shown(reason, _MESSAGE)
        super().__init__(reason if position is None else f"{reason} (at byte {position:,})")


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that a pickle holds, left in the file unless they are few."""

    offset: int
    """Where they begin in the file; for decoded text, minus the place of the instruction."""
    length: int
    data: bytes | None = None


class Cursor:
    """A position between `start` and `end` of an open file.

    Lengths are checked against what is left before anything is allocated.
    """

    def __init__(self, file: IO[bytes], start: int = 0, end: int | None = None) -> None:
        if end is None:
            end = file.seek(0, os.SEEK_END)
        file.seek(start)
        self._file = file
        self.position = start
        self.end = end

    @property
    def left(self) -> int:
        """Number of bytes up to the end."""
        return self.end - self.position

    def take(self, length: int) -> bytes:
        """Give the next `length` bytes.

        Raises:
            MalformedError: fewer are left.
        """
        if length > self.end - self.position:
            raise self._truncated(length)
        data = self._file.read(length)
        if len(data) != length:
            raise self._truncated(length)
        self.position += length
        return data

    def line(self) -> bytes:
        """Give the bytes up to the next newline, without it.

        Raises:
            MalformedError: there is none within reach.
        """
        text = self._file.readline(min(self.left, _LINE))
        if not text.endswith(b"\n"):
            raise MalformedError("a line of a pickle has no end", self.position)
        self.position += len(text)
        return text[:-1]

    def blob(self, length: int) -> Blob:
        """Pass over the next `length` bytes and remember where they are.

        Raises:
            MalformedError: fewer are left.
        """
        offset = self.position
        if length <= INLINE_BYTES:
            return Blob(offset, length, self.take(length))
        self.skip(length)
        return Blob(offset, length)

    def skip(self, length: int) -> None:
        """Pass over the next `length` bytes.

        Raises:
            MalformedError: fewer are left.
        """
        if length > self.left:
            raise self._truncated(length)
        self._file.seek(length, os.SEEK_CUR)
        self.position += length

    def _truncated(self, length: int) -> MalformedError:
        return MalformedError(
            f"it is cut short: {length:,} bytes should follow, {self.left:,} are left",
            self.position,
        )
