"""What a restricted pickle is made of besides plain Python data: inert records."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from squeezespan.untrusted.pickles.arguments import expect, shape
from squeezespan.untrusted.pickles.cursor import MalformedError

__all__ = [
    "OPAQUE",
    "ArrayRecord",
    "DtypeRecord",
    "NamedDict",
    "Opaque",
    "Record",
    "StorageRecord",
    "Symbol",
    "TensorRecord",
    "bytes_of_text",
]


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A global that a pickle may name. It stands for itself; nothing is imported."""

    module: str
    name: str
    apply: Callable[[tuple[Any, ...]], Any] | None = None
    """Checked wrapper that takes the place of calling it; None: it isn't called."""
    create: Callable[["Symbol"], Any] | None = None
    """What takes the place of an instance of it; None: it has none."""
    is_known: bool = True

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Opaque:
    """Something that a pickle makes and that no generator needs; it keeps nothing."""


OPAQUE = Opaque()


class NamedDict(dict[Any, Any]):
    """An instance of a dict's subclass, as a dict."""


@dataclass(slots=True, eq=False)
class Record:
    """An object as plain data: the name of its class and its attributes."""

    class_name: str
    state: dict[str, Any] | None = None
    is_known: bool = True
    """Whether its class is one of a published generator; others may do anything."""

    def set_state(self, state: Any) -> None:
        """Take the attributes that a pickle gives to an instance, once."""
        if isinstance(state, tuple) and len(state) == 2 and state[1] is None:
            state = state[0]
        if not self.is_known and not isinstance(state, dict):
            return
        if self.state is not None or not isinstance(state, dict):
            raise MalformedError(f"an instance of {self.class_name} has a state of an odd form")
        self.state = state


@dataclass(slots=True, eq=False)
class StorageRecord:
    """The memory behind tensors."""

    dtype: str = ""
    """Of its numbers; empty where it is bytes and each tensor tells what they are."""
    elements: int = 0
    key: str = ""
    """What the file calls it."""
    data: memoryview | None = None
    """The numbers, once they are found."""
    serialized: memoryview | None = None
    """All of it, of one that stands in a module's pickle and is not taken apart yet."""


@dataclass(frozen=True, slots=True, eq=False)
class TensorRecord:
    """A tensor's place in its storage, which may be smaller."""

    storage: StorageRecord
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str = ""
    """Where the storage doesn't tell it."""


def bytes_of_text(text: str) -> memoryview:
    """Give the bytes that Python 2 and old protocols write as text.

    Raises:
        MalformedError: it is other text.
    """
    try:
        return memoryview(text.encode("latin-1"))
    except UnicodeError as error:
        raise MalformedError("a string of bytes holds other text") from error


@dataclass(slots=True, eq=False)
class DtypeRecord:
    """A numpy type of numbers."""

    dtype: np.dtype[Any]

    def set_state(self, state: Any) -> None:
        """Take the byte order; types with fields or metadata are refused."""
        plain = isinstance(state, tuple) and 4 <= len(state) <= 9
        if not plain or state[1] not in ("<", ">", "|", "=") or state[3] is not None:
            raise MalformedError("a numpy type has an odd description")
        self.dtype = self.dtype.newbyteorder(state[1])


@dataclass(slots=True, eq=False)
class ArrayRecord:
    """A numpy array, in the memory of the pickle; None until its state is known."""

    array: np.ndarray[Any, Any] | None = None

    def set_state(self, state: Any) -> None:
        """Take version, shape, type, memory order and content, once.

        Raises:
            MalformedError: not numbers, or too few or too many of them.
        """
        what = "a numpy array"
        expect(self.array is None and isinstance(state, tuple) and len(state) == 5, what)
        _, sides, dtype, is_fortran, content = state
        if isinstance(content, str):
            content = bytes_of_text(content)
        if not isinstance(dtype, DtypeRecord) or not isinstance(content, memoryview):
            raise MalformedError("a numpy array does not hold numbers")
        sides = shape(sides, what)
        size = math.prod(sides) * dtype.dtype.itemsize
        if size != len(content):
            found = f"{len(content):,} bytes of numbers"
            raise MalformedError(f"a numpy array of shape {sides} has {found}, not {size:,}")
        self.array = np.ndarray(sides, dtype.dtype, content, order="F" if is_fortran else "C")
