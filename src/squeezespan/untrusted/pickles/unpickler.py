"""A pickle machine that can only make plain data.

Python's own unpicklers act on live objects: they call what REDUCE names and hand BUILD to
`__setstate__`. This one has no way to import or call anything. A global becomes a `Symbol`; REDUCE
runs the checked wrapper of one whose exact module and name are listed, which makes a record; BUILD
fills a record. Everything else is refused, and so are persistent ids unless the caller says how to
read them, the extension registry and the old instance instructions.
"""

import gc
from typing import Any

from squeezespan.untrusted.pickles.containers import CONTAINER_STEPS
from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_OPCODES
from squeezespan.untrusted.pickles.machine import Machine, PersistentLoad, Step
from squeezespan.untrusted.pickles.objects import OBJECT_STEPS
from squeezespan.untrusted.pickles.scalars import SCALAR_STEPS

__all__ = ["unpickle"]

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


def unpickle(
    cursor: Cursor, persistent: PersistentLoad | None = None, most: int = MAX_OPCODES
) -> Any:
    """Give the value of one pickle.

    Args:
        cursor: where it begins; afterwards it stands behind the pickle.
        persistent: reads a persistent id, given as plain data; None refuses them.
        most: instructions that it may have.

    Returns:
        None, numbers, strings, bytes as views of the cursor's, lists, tuples, sets and dicts of
        such, and the records of `values`. It may share and contain itself.

    Raises:
        MalformedError: not a pickle, damaged, larger than any checkpoint, or one that asks for
            something that no checkpoint needs.
    """
    machine = Machine(cursor, persistent)
    # Looking for cycles among so many values takes long and finds nothing.
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(most):
            code = cursor.take(1)
            if code == _STOP:
                return _result(machine)
            _step(code)(machine)
        raise MalformedError(f"it has more than {most:,} instructions")
    except IndexError as error:
        raise MalformedError("an instruction lacks its operand", cursor.position) from error
    except MalformedError as error:
        if error.position is not None:
            raise
        raise MalformedError(str(error), cursor.position) from error
    finally:
        if is_collecting:
            gc.enable()


def _result(machine: Machine) -> Any:
    if not machine.is_finished:
        raise MalformedError("it ends in the middle of a value")
    return machine.stack.pop()


def _step(code: bytes) -> Step:
    if code in _STEPS:
        return _STEPS[code]
    if code in _REFUSED:
        raise MalformedError(f"it uses {_REFUSED[code]}, which no checkpoint needs")
    raise MalformedError(f"it is not a pickle, or damaged: there is no instruction {code!r}")


def _protocol(machine: Machine) -> None:
    if machine.cursor.position != machine.start + 1:
        raise MalformedError("it tells its protocol in its middle")
    protocol = machine.cursor.unsigned(1)
    if protocol not in _PROTOCOLS:
        raise MalformedError(f"it is of an unknown pickle protocol {protocol}")


def _frame(machine: Machine) -> None:
    length = machine.cursor.unsigned(8)
    if length > machine.cursor.left:
        raise MalformedError(f"it is cut short: {length:,} bytes should follow")


_STEPS: dict[bytes, Step] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    **SCALAR_STEPS,
    **CONTAINER_STEPS,
    **OBJECT_STEPS,
}
