"""Plain Python values out of what a pickle holds."""

import math
import struct
from typing import Any

from squeezespan.untrusted.pickles.limits import MAX_ATTRIBUTES, MAX_VALUE_DEPTH, Budget
from squeezespan.untrusted.pickles.numpy_wrappers import SCALAR_FORMATS
from squeezespan.untrusted.pickles.values import ArrayRecord

__all__ = ["PlainValues"]

_SMALL_ARRAY = 64


class _NotPlainError(Exception):
    """A value holds something that is no plain data, or itself."""


class PlainValues:
    """Copies values, up to a total number, as a pickle can share one value a million times."""

    def __init__(self) -> None:
        self.budget = Budget(MAX_ATTRIBUTES, "it has far more attributes than any network")

    def items(self, values: dict[str, Any]) -> dict[str, Any]:
        """Copy those of `values` that are plain data under a text as name.

        Raises:
            MalformedError: there are far more than any network has.
        """
        self.budget.charge(len(values))
        copied = {}
        for name, value in values.items():
            if isinstance(name, str):
                try:
                    copied[name] = self._copy(value, 0)
                except _NotPlainError:
                    continue
        return copied

    def _copy(self, value: Any, depth: int) -> Any:
        self.budget.charge(1)
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if depth > MAX_VALUE_DEPTH:
            raise _NotPlainError
        if isinstance(value, dict):
            return {key: self._copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            items = [self._copy(item, depth + 1) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        if isinstance(value, ArrayRecord):
            return self._numbers(value)
        raise _NotPlainError

    def _numbers(self, array: ArrayRecord) -> list[Any]:
        """A small vector as a list; larger arrays are weights and no attributes."""
        count = math.prod(array.shape)
        if array.blob is None or array.blob.data is None or len(array.shape) != 1:
            raise _NotPlainError
        if count > _SMALL_ARRAY:
            raise _NotPlainError
        form = f"{array.code[0]}{count}{SCALAR_FORMATS[array.code[1:]]}"
        return list(struct.unpack(form, array.blob.data))
