"""What a restricted pickle is made of besides plain Python data: inert records."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from squeezespan.untrusted.pickles.cursor import Blob, MalformedError
from squeezespan.untrusted.pickles.limits import (
    MAX_ARRAY_DIMS,
    MAX_TENSOR_NUMBERS,
    Budget,
)

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
    "check_bounds",
]

_REPEATED = 1 << 16
"""Numbers that a tensor may have whatever its storage."""


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A global that a pickle may name. It stands for itself; nothing is imported."""

    module: str
    name: str
    apply: Callable[[tuple[Any, ...], Budget], Any] | None = None
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


@dataclass(frozen=True, slots=True, eq=False)
class StorageRecord:
    """The memory behind tensors, not read yet."""

    blob: Blob | None
    """A serialized storage inside a module's pickle; None where the container holds it."""
    key: str = ""
    dtype: str = ""
    """Of its numbers; empty where it is bytes and each tensor tells what they are."""
    elements: int = -1
    """-1: only the serialized storage tells."""


@dataclass(frozen=True, slots=True, eq=False)
class TensorRecord:
    """A tensor's place in its storage, not read yet."""

    storage: StorageRecord
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str = ""
    """Where the storage doesn't tell it."""


def check_bounds(record: TensorRecord, elements: int) -> None:
    """Refuse a tensor that reaches beyond its storage, or that repeats it into a large one.

    Args:
        record: the tensor.
        elements: size of its storage.

    Raises:
        MalformedError: it does.
    """
    count = math.prod(record.size)
    steps = zip(record.size, record.stride, strict=True)
    end = record.offset + sum((side - 1) * step for side, step in steps) + 1 if count else 0
    if end > elements:
        raise MalformedError(
            f"a tensor of shape {record.size} needs {end:,} numbers, its storage has {elements:,}"
        )
    if count > max(elements, _REPEATED):
        raise MalformedError(f"a tensor of shape {record.size} repeats {elements:,} numbers")


def bytes_of_text(text: str) -> Blob:
    """Give the bytes that Python 2 and old protocols write as text.

    Raises:
        MalformedError: it is other text.
    """
    try:
        data = text.encode("latin-1")
    except UnicodeError as error:
        raise MalformedError("a string of bytes holds other text") from error
    return Blob(-1, len(data), data)


@dataclass(slots=True, eq=False)
class DtypeRecord:
    """A numpy type by its code, such as `<f4`."""

    kind: str
    order: str = "<"

    def set_state(self, state: Any) -> None:
        """Take the byte order; types with fields or metadata are refused."""
        plain = isinstance(state, tuple) and 4 <= len(state) <= 9
        if not plain or state[1] not in ("<", ">", "|", "=") or state[3] is not None:
            raise MalformedError("a numpy type has an odd description")
        self.order = "<" if state[1] in "|=" else state[1]

    @property
    def code(self) -> str:
        """As numpy writes it."""
        return self.order + self.kind

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return int(self.kind[1:])


@dataclass(slots=True, eq=False)
class ArrayRecord:
    """A numpy array, not read yet."""

    code: str = ""
    shape: tuple[int, ...] = ()
    is_fortran: bool = False
    blob: Blob | None = None

    def set_state(self, state: Any) -> None:
        """Take version, shape, type, memory order and content, once.

        Raises:
            MalformedError: not numbers, or too few or too many of them.
        """
        if self.blob is not None or not isinstance(state, tuple) or len(state) != 5:
            raise MalformedError("a numpy array is described in an odd way")
        _, shape, dtype, is_fortran, blob = state
        if isinstance(blob, str):
            blob = bytes_of_text(blob)
        sized = isinstance(shape, tuple) and len(shape) <= MAX_ARRAY_DIMS
        if not sized or not all(type(side) is int and side >= 0 for side in shape):
            raise MalformedError("a numpy array has an odd shape")
        if math.prod(max(side, 1) for side in shape) > MAX_TENSOR_NUMBERS:
            raise MalformedError("a numpy array has an odd shape")
        if not isinstance(dtype, DtypeRecord) or not isinstance(blob, Blob):
            raise MalformedError("a numpy array does not hold numbers")
        if math.prod(shape) * dtype.size != blob.length:
            raise MalformedError(
                f"a numpy array of shape {shape} has {blob.length:,} bytes of numbers, "
                f"not {math.prod(shape) * dtype.size:,}"
            )
        self.code, self.shape, self.is_fortran = dtype.code, shape, bool(is_fortran)
        self.blob = blob
