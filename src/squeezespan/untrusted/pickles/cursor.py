"""Reading bytes in order, never past their end."""

from squeezespan.untrusted.wording import shown

__all__ = ["Cursor", "MalformedError"]

_SHORT_LINE, _LINE = 256, 16 << 20
_MESSAGE = 300


class MalformedError(Exception):
    """A stream that cannot be read: why, on one line, and at which of its bytes."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        self.position = position
        reason = shown(reason, _MESSAGE)
        super().__init__(reason if position is None else f"{reason} (at byte {position:,})")


class Cursor:
    """A position in bytes, which are those of a file, mapped, or a part of them.

    Lengths are checked against what is left before anything is allocated.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.position = 0

    @property
    def left(self) -> int:
        """Number of bytes up to the end."""
        return len(self._data) - self.position

    def take(self, length: int) -> bytes:
        """Give the next `length` bytes.

        Raises:
            MalformedError: fewer are left.
        """
        return bytes(self.view(length))

    def view(self, length: int) -> memoryview:
        """Give the next `length` bytes where they are.

        Raises:
            MalformedError: fewer are left.
        """
        if length > self.left:
            raise MalformedError(
                f"it is cut short: {length:,} bytes should follow, {self.left:,} are left",
                self.position,
            )
        begin = self.position
        self.position += length
        return self._data[begin : self.position]

    def unsigned(self, size: int) -> int:
        """Read a number of `size` bytes.

        Raises:
            MalformedError: fewer are left.
        """
        return int.from_bytes(self.view(size), "little")

    def line(self) -> bytes:
        """Give the bytes up to the next newline, without it.

        Raises:
            MalformedError: there is none within reach.
        """
        reach = _SHORT_LINE
        while reach <= _LINE:
            line, end, _ = bytes(self._data[self.position :][:reach]).partition(b"\n")
            if end:
                self.position += len(line) + 1
                return line
            # What is looked through again stays in proportion to the line.
            reach *= 4
        raise MalformedError("a line of a pickle has no end", self.position)
