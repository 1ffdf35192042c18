"""What takes the place of NumPy's functions in a checkpoint's pickle, as `torch_wrappers`."""

from typing import Any

import numpy as np

from squeezespan.untrusted.pickles.arguments import expect
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.values import ArrayRecord, DtypeRecord, Symbol
from squeezespan.untrusted.wording import shown

__all__ = ["array_from_buffer", "array_scalar", "empty_array", "make_dtype", "pickled_array"]

_NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {
    *("f2", "f4", "f8", "b1"),
}


def make_dtype(arguments: tuple[Any, ...]) -> DtypeRecord:
    """`numpy.dtype`: numbers only, no objects and no fields."""
    expect(1 <= len(arguments) <= 3 and type(arguments[0]) is str, "a numpy type")
    code: str = arguments[0]
    kind = code[1:] if code.startswith(("<", ">", "|", "=")) else code
    if kind not in _NUMBERS:
        raise MalformedError(f"it has a numpy array of type {shown(code, 20)}, not of numbers")
    return DtypeRecord(np.dtype(code))


def array_scalar(arguments: tuple[Any, ...]) -> bool | int | float:
    """`numpy.core.multiarray.scalar`, as Python's number."""
    expect(len(arguments) == 2, "a numpy number")
    dtype, content = arguments
    expect(isinstance(dtype, DtypeRecord) and isinstance(content, memoryview), "a numpy number")
    expect(len(content) == dtype.dtype.itemsize, "a numpy number")
    number: bool | int | float = np.frombuffer(content, dtype.dtype)[0].item()
    return number


def empty_array(arguments: tuple[Any, ...]) -> ArrayRecord:
    """`numpy.core.multiarray._reconstruct`: an array whose content follows as its state."""
    what = "a numpy array"
    expect(len(arguments) == 3 and isinstance(arguments[0], Symbol), what)
    expect((arguments[0].module, arguments[0].name) == ("numpy", "ndarray"), what)
    return ArrayRecord()


def array_from_buffer(arguments: tuple[Any, ...]) -> ArrayRecord:
    """`numpy.core.numeric._frombuffer` of protocol 5."""
    expect(len(arguments) == 4 and arguments[3] in ("C", "F"), "a numpy array")
    content, dtype, shape, order = arguments
    array = ArrayRecord()
    array.set_state((1, shape, dtype, order == "F", content))
    return array


def pickled_array(arguments: tuple[Any, ...]) -> ArrayRecord:
    """`dill._dill._create_array`: `empty_array` and its state in one."""
    what = "a numpy array"
    expect(len(arguments) in (3, 4) and isinstance(arguments[0], Symbol), what)
    expect(arguments[0].apply is empty_array and isinstance(arguments[1], tuple), what)
    expect(len(arguments) == 3 or arguments[3] is None, what)
    array = empty_array(arguments[1])
    array.set_state(arguments[2])
    return array
