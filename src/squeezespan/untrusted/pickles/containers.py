"""A pickle's instructions that make and fill containers, and those that move values about."""

from typing import Any

from squeezespan.untrusted.pickles.arguments import is_key
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.machine import Machine, Step
from squeezespan.untrusted.pickles.values import Record

__all__ = ["CONTAINER_STEPS"]


def _key(machine: Machine, key: Any) -> Any:
    """Refuse keys whose hashes cost time, and many that can be made to collide."""
    if not is_key(key):
        raise MalformedError(f"a dict or set has a key of an odd type, {type(key).__name__}")
    if isinstance(key, int | float):
        machine.number_keys.charge(1)
    return key


def _tuple(machine: Machine, length: int) -> None:
    if len(machine.stack) < length:
        raise IndexError
    items = tuple(machine.stack[-length:])
    del machine.stack[-length:]
    machine.push(items)


def _tuple_above_mark(machine: Machine) -> None:
    items = tuple(machine.above_mark())
    machine.push(items)


def _list_above_mark(machine: Machine) -> None:
    items = machine.above_mark()
    machine.push(items)


def _filled(machine: Machine, kind: type, what: str) -> Any:
    """What stands on the stack to be filled; None for an unknown class, whose items are dropped."""
    target = machine.stack[-1]
    if isinstance(target, Record) and not target.is_known:
        return None
    if not isinstance(target, kind):
        raise MalformedError(what)
    return target


def _append(machine: Machine, items: list[Any]) -> None:
    target = _filled(machine, list, "it appends to what is not a list")
    if target is not None:
        target.extend(items)


def _add(machine: Machine, items: list[Any]) -> None:
    target = _filled(machine, set, "it adds to what is not a set")
    if target is not None:
        target.update(_key(machine, item) for item in items)


def _set_items(machine: Machine, items: list[Any]) -> None:
    target = _filled(machine, dict, "it sets items of what is not a dict")
    if len(items) % 2:
        raise MalformedError("a key has no value")
    if target is not None:
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_key(machine, key)] = value


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_items(machine, [key, value])


def _dict_above_mark(machine: Machine) -> None:
    items = machine.above_mark()
    machine.push({})
    _set_items(machine, items)


def _frozenset_above_mark(machine: Machine) -> None:
    items = machine.above_mark()
    machine.push(frozenset(_key(machine, item) for item in items))


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.above_mark()


def _put(machine: Machine, index: int) -> None:
    machine.memo[index] = machine.stack[-1]


def _get(machine: Machine, index: int) -> None:
    if index not in machine.memo:
        raise MalformedError(f"it asks for memo entry {index}, which it never made")
    machine.push(machine.memo[index])


def _line_index(machine: Machine) -> int:
    line = machine.cursor.line()
    if not line.isdigit() or len(line) > 10:
        raise MalformedError("it has a memo entry without a number")
    return int(line)


CONTAINER_STEPS: dict[bytes, Step] = {
    b"(": Machine.mark,
    b")": lambda machine: machine.push(()),
    b"]": lambda machine: machine.push([]),
    b"}": lambda machine: machine.push({}),
    b"\x8f": lambda machine: machine.push(set()),
    b"\x85": lambda machine: _tuple(machine, 1),
    b"\x86": lambda machine: _tuple(machine, 2),
    b"\x87": lambda machine: _tuple(machine, 3),
    b"t": _tuple_above_mark,
    b"l": _list_above_mark,
    b"d": _dict_above_mark,
    b"\x91": _frozenset_above_mark,
    b"a": lambda machine: _append(machine, [machine.stack.pop()]),
    b"e": lambda machine: _append(machine, machine.above_mark()),
    b"\x90": lambda machine: _add(machine, machine.above_mark()),
    b"s": _set_item,
    b"u": lambda machine: _set_items(machine, machine.above_mark()),
    b"0": _pop,
    b"1": Machine.above_mark,
    b"2": lambda machine: machine.push(machine.stack[-1]),
    b"p": lambda machine: _put(machine, _line_index(machine)),
    b"q": lambda machine: _put(machine, machine.cursor.unsigned(1)),
    b"r": lambda machine: _put(machine, machine.cursor.unsigned(4)),
    b"\x94": lambda machine: _put(machine, len(machine.memo)),
    b"g": lambda machine: _get(machine, _line_index(machine)),
    b"h": lambda machine: _get(machine, machine.cursor.unsigned(1)),
    b"j": lambda machine: _get(machine, machine.cursor.unsigned(4)),
}
