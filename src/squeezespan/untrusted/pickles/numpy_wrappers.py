"""What takes the place of NumPy's functions in a checkpoint's pickle, as `torch_wrappers`."""

import struct
from typing import Any

from squeezespan.untrusted.pickles.arguments import expect
from squeezespan.untrusted.pickles.cursor import Blob, MalformedError
from squeezespan.untrusted.pickles.limits import Budget
from squeezespan.untrusted.pickles.values import ArrayRecord, DtypeRecord, Symbol

__all__ = [
    "SCALAR_FORMATS",
    "array_from_buffer",
    "array_scalar",
    "empty_array",
    "make_dtype",
    "pickled_array",
]

_DTYPE_KINDS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {
    *("f2", "f4", "f8", "b1"),
}
SCALAR_FORMATS = {"b1": "?", "f2": "e", "f4": "f", "f8": "d"} | {
    f"{kind}{size}": letter
    for kind, letters in (("i", "bhiq"), ("u", "BHIQ"))
    for size, letter in zip((1, 2, 4, 8), letters, strict=True)
}


def make_dtype(arguments: tuple[Any, ...], _: Budget) -> DtypeRecord:
    """`numpy.dtype`: numbers only, no objects and no fields."""
    expect(1 <= len(arguments) <= 3 and type(arguments[0]) is str, "a numpy type")
    code: str = arguments[0]
    order, kind = (code[0], code[1:]) if code[:1] in ("<", ">", "|", "=") else ("<", code)
    if kind not in _DTYPE_KINDS:
        raise MalformedError(f"it has a numpy array of type {ascii(code)[:20]}, not of numbers")
    return DtypeRecord(kind, ">" if order == ">" else "<")


def array_scalar(arguments: tuple[Any, ...], _: Budget) -> bool | int | float:
    """`numpy.core.multiarray.scalar`, as Python's number."""
    expect(len(arguments) == 2, "a numpy number")
    dtype, blob = arguments
    expect(isinstance(dtype, DtypeRecord) and isinstance(blob, Blob), "a numpy number")
    expect(blob.data is not None and len(blob.data) == dtype.size, "a numpy number")
    number: bool | int | float = struct.unpack(dtype.order + SCALAR_FORMATS[dtype.kind], blob.data)[
        0
    ]
    return number


def empty_array(arguments: tuple[Any, ...], _: Budget) -> ArrayRecord:
    """`numpy.core.multiarray._reconstruct`: an array whose content follows as its state."""
    what = "a numpy array"
    expect(len(arguments) == 3 and isinstance(arguments[0], Symbol), what)
    expect((arguments[0].module, arguments[0].name) == ("numpy", "ndarray"), what)
    return ArrayRecord()


def array_from_buffer(arguments: tuple[Any, ...], _: Budget) -> ArrayRecord:
    """`numpy.core.numeric._frombuffer` of protocol 5."""
    expect(len(arguments) == 4 and arguments[3] in ("C", "F"), "a numpy array")
    blob, dtype, shape, order = arguments
    array = ArrayRecord()
    array.set_state((1, shape, dtype, order == "F", blob))
    return array


def pickled_array(arguments: tuple[Any, ...], budget: Budget) -> ArrayRecord:
    """`dill._dill._create_array`: `empty_array` and its state in one."""
    what = "a numpy array"
    expect(len(arguments) in (3, 4) and isinstance(arguments[0], Symbol), what)
    expect(arguments[0].apply is empty_array and isinstance(arguments[1], tuple), what)
    expect(len(arguments) == 3 or arguments[3] is None, what)
    array = empty_array(arguments[1], budget)
    array.set_state(arguments[2])
    return array
