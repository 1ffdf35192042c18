"""Plain Python values out of what a pickle holds."""

from typing import Any

from squeezespan.untrusted.pickles.limits import MAX_ATTRIBUTES, MAX_VALUE_DEPTH, Budget
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
        array = value.array if isinstance(value, ArrayRecord) else None
        # Larger arrays are weights and no attributes.
        if array is None or array.ndim != 1 or array.size > _SMALL_ARRAY:
            raise _NotPlainError
        return array.tolist()
