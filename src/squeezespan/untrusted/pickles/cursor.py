"""Reading a stretch of a file in order, never past its end and never more than is there."""

from dataclasses import dataclass
from typing import Protocol

from squeezespan.untrusted.wording import shown

__all__ = ["INLINE_BYTES", "Blob", "Cursor", "MalformedError", "Readable"]

INLINE_BYTES = 512
"""Blobs up to this size are read at once: NumPy's numbers and the small arrays of attributes."""

_LINE, _SHORT_LINE = 16 << 20, 256
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


class Readable(Protocol):
    """An open file or a memory map of one."""

    def read(self, length: int, /) -> bytes:
        """Give the next bytes."""

    def seek(self, offset: int, /) -> object:
        """Go to a place."""


class Cursor:
    """A position between `start` and `end` of an open file.

    Lengths are checked against what is left before anything is allocated.
    """

    def __init__(self, file: Readable, start: int, end: int) -> None:
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
        most = min(self.left, _LINE)
        text = self._file.read(min(most, _SHORT_LINE))
        if b"\n" not in text:
            text += self._file.read(most - len(text))
        line, end, _ = text.partition(b"\n")
        if not end:
            raise MalformedError("a line of a pickle has no end", self.position)
        self.position += len(line) + 1
        self._file.seek(self.position)
        return line

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
        self.position += length
        self._file.seek(self.position)

    def _truncated(self, length: int) -> MalformedError:
        return MalformedError(
            f"it is cut short: {length:,} bytes should follow, {self.left:,} are left",
            self.position,
        )
