"""A pickle machine that can only make plain data.

Python's own unpicklers act on live objects: they call what REDUCE names and hand BUILD to
`__setstate__`. This one has no way to import or call anything. A global becomes a `Symbol` if its
exact module and name are in the given table; REDUCE runs that symbol's checked wrapper, which
makes a record; BUILD fills a record. Everything else is refused, and so are persistent ids unless
the caller says how to read them, the extension registry and the old instance instructions.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from squeezespan.untrusted.pickles.containers import CONTAINER_STEPS
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_OPCODES
from squeezespan.untrusted.pickles.machine import Machine, PersistentLoad, Step
from squeezespan.untrusted.pickles.objects import OBJECT_STEPS
from squeezespan.untrusted.pickles.scalars import SCALAR_STEPS
from squeezespan.untrusted.pickles.values import Symbol

__all__ = ["RestrictedUnpickler"]

_PROTOCOLS = range(6)
_STOP = b"."
_REFUSED = {
    b"i": "INST",
    b"o": "OBJ",
    b"\x82": "EXT1",
    b"\x83": "EXT2",
    b"\x84": "EXT4",
    b"\x92": "NEWOBJ_EX",
    b"\x97": "NEXT_BUFFER",
    b"\x98": "READONLY_BUFFER",
}


class RestrictedUnpickler:
    """Reads one pickle.

    Args:
        cursor: where it begins; afterwards it stands behind the pickle.
        symbols: the globals that it may name.
        persistent: reads a persistent id, given as plain data; None refuses them.
        most: instructions that it may have.
    """

    def __init__(
        self,
        cursor: Cursor,
        symbols: Mapping[tuple[str, str], Symbol],
        persistent: PersistentLoad | None = None,
        most: int = MAX_OPCODES,
    ) -> None:
        self._most = most
        self._machine = Machine(cursor, symbols, persistent)

    @property
    def protocol(self) -> int:
        """The protocol that the pickle says it has."""
        return self._machine.protocol

    def load(self) -> Any:
        """Give the pickled value.

        Returns:
            None, numbers, strings, `Blob`s, lists, tuples, sets and dicts of such, and the records
            of `values`. It may share and contain itself.

        Raises:
            MalformedError: not a pickle, damaged, larger than any checkpoint, or one that asks
                for something that no checkpoint needs.
        """
        with _no_collection():
            return self._run(self._machine)

    def _run(self, machine: Machine) -> Any:
        take = machine.cursor.take
        for _ in range(self._most):
            code = take(1)
            if code == _STOP:
                if not machine.is_finished:
                    raise machine.error("it ends in the middle of a value")
                return machine.stack.pop()
            step = _STEPS.get(code)
            if step is None:
                raise self._refusal_of(code)
            try:
                step(machine)
            except IndexError as error:
                raise machine.error("an instruction lacks its operand") from error
            except MalformedError as error:
                raise error if error.position is not None else machine.error(str(error)) from error
        raise machine.error(f"it has more than {self._most:,} instructions")

    def _refusal_of(self, code: bytes) -> MalformedError:
        if code in _REFUSED:
            return self._machine.error(f"it uses {_REFUSED[code]}, which no checkpoint needs")
        return self._machine.error(
            f"it is not a pickle, or damaged: there is no instruction {code!r}"
        )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no cycles meanwhile, which takes long among many values and finds nothing."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


def _protocol(machine: Machine) -> None:
    if machine.cursor.position != machine.start + 1:
        raise machine.error("it tells its protocol in its middle")
    machine.protocol = machine.unsigned(1)
    if machine.protocol not in _PROTOCOLS:
        raise machine.error(f"it is of an unknown pickle protocol {machine.protocol}")


def _frame(machine: Machine) -> None:
    length = machine.unsigned(8)
    if length > machine.cursor.left:
        raise machine.error(f"it is cut short: {length:,} bytes should follow")


_STEPS: dict[bytes, Step] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    **SCALAR_STEPS,
    **CONTAINER_STEPS,
    **OBJECT_STEPS,
}
