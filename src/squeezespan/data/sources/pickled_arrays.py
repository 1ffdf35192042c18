"""Reading the pickles of the CIFAR files as data: nothing that they name is imported or run."""

import io
import math
import pickle
from typing import Any

import numpy as np

from squeezespan.data.decode import Pixels

__all__ = ["read_pickled_batch"]


def read_pickled_batch(data: bytes) -> dict[str, Any]:
    """Read a pickled dict of lists, strings and eight-bit arrays.

    Args:
        data: content of the file.

    Returns:
        the dict, keys as text, arrays as uint8 numpy arrays.

    Raises:
        pickle.UnpicklingError: not such a pickle, or one that asks for anything else.
    """
    try:
        value = _Reader(io.BytesIO(data), encoding="latin1").load()
    except pickle.UnpicklingError:
        raise
    # A damaged pickle fails in as many ways as the machine that it drives has operations.
    except Exception as error:
        raise pickle.UnpicklingError(str(error)) from error
    if not isinstance(value, dict):
        raise pickle.UnpicklingError("it does not hold a dict")
    return {_text(key): _plain(item) for key, item in value.items()}


class _Array:
    """Takes the state of a numpy array without being one."""

    pixels: Pixels

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        raw = raw.encode("latin1") if isinstance(raw, str) else raw
        if not isinstance(dtype, _Dtype) or dtype.code not in ("u1", "|u1", "uint8") or fortran:
            raise pickle.UnpicklingError("an array is not of eight-bit numbers")
        if len(raw) != math.prod(shape):
            raise pickle.UnpicklingError("an array is cut short")
        self.pixels = np.frombuffer(raw, np.uint8).reshape(shape)


class _Dtype:
    """Takes the description of a numpy type without being one."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Byte order and the like, which one byte does not have."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _STUBS.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no such file needs")
        return found


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError("bytes are written in an unknown way")
    return text.encode("latin1")


_STUBS = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.pixels
    if isinstance(value, list):
        return [_text(item) if isinstance(item, bytes) else item for item in value]
    return value
