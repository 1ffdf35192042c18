"""The state of a pickle machine: stack, memo and what the pickle may still ask for.

It has no way to import or call anything; `unpickler` lists its instructions.
"""

from collections.abc import Callable
from typing import Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import (
    MAX_CALLS,
    MAX_MARKS,
    MAX_NUMBER_KEYS,
    MAX_TEXT_BYTES,
    Budget,
)

__all__ = ["Machine", "PersistentLoad", "Step"]

PersistentLoad = Callable[[Any], Any]


class Machine:
    """What the instructions of one pickle work on.

    Args:
        cursor: where the pickle begins.
        persistent: reads a persistent id, given as plain data; None refuses them.
    """

    def __init__(self, cursor: Cursor, persistent: PersistentLoad | None = None) -> None:
        self.cursor = cursor
        self.start = cursor.position
        self.persistent = persistent
        self.text = Budget(MAX_TEXT_BYTES, "a pickle holds far more text than any generator's")
        self.calls = Budget(MAX_CALLS, f"it makes more than {MAX_CALLS:,} objects")
        self.number_keys = Budget(
            MAX_NUMBER_KEYS, "it has far more numbers as keys than an optimizer"
        )
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self._outer: list[list[Any]] = []

    @property
    def is_finished(self) -> bool:
        """Whether the stack holds one value and no container is unfinished."""
        return not self._outer and len(self.stack) == 1

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def mark(self) -> None:
        """Begin a container.

        Raises:
            MalformedError: too many are unfinished.
        """
        if len(self._outer) >= MAX_MARKS:
            raise MalformedError(f"it has more than {MAX_MARKS:,} unfinished values")
        self._outer.append(self.stack)
        self.stack = []

    def above_mark(self) -> list[Any]:
        """Take what stands on the stack above the last mark, and the mark.

        Raises:
            IndexError: there is no mark.
        """
        above = self.stack
        self.stack = self._outer.pop()
        return above


Step = Callable[[Machine], object]
