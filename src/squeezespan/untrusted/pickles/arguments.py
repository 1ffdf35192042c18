"""Checking the arguments of the calls that a checkpoint's pickle makes."""

import math
from typing import Any

from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.limits import MAX_ARRAY_DIMS, MAX_TENSOR_NUMBERS

__all__ = ["expect", "is_key", "is_size", "shape", "sizes"]

_SMALL_INTEGER = 1 << 60


def expect(condition: bool, what: str) -> None:
    """Refuse a call whose arguments are of another form.

    Args:
        condition: whether they are of the known form.
        what: what the call makes, such as "a tensor".

    Raises:
        MalformedError: they are not.
    """
    if not condition:
        raise MalformedError(f"{what} is described in an odd way")


def is_key(value: Any) -> bool:
    """Whether a value may be hashed, which must not cost time; many numbers may still collide."""
    if type(value) is int:
        return abs(value) < _SMALL_INTEGER
    return value is None or type(value) in (str, bool, float)


def is_size(value: Any) -> bool:
    """Whether a value is a whole number that memory could have."""
    return type(value) is int and 0 <= value < 1 << 48


def sizes(value: Any, what: str) -> tuple[int, ...]:
    """Give a value that is a shape, or strides, as a tuple."""
    expect(isinstance(value, tuple | list) and len(value) <= MAX_ARRAY_DIMS, what)
    expect(all(is_size(item) for item in value), what)
    return tuple(value)


def shape(value: Any, what: str) -> tuple[int, ...]:
    """Give a value that is the shape of an array that there could be as a tuple."""
    sides = sizes(value, what)
    # An axis of length zero does not keep torch and NumPy from multiplying the others.
    expect(math.prod(max(side, 1) for side in sides) <= MAX_TENSOR_NUMBERS, what)
    return sides
