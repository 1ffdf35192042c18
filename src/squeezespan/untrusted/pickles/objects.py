"""A pickle's instructions that name globals and make objects: here symbols and inert records."""

from typing import Any

from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.machine import Machine, Step
from squeezespan.untrusted.pickles.symbols import SYMBOLS, unknown_class
from squeezespan.untrusted.pickles.values import (
    ArrayRecord,
    DtypeRecord,
    NamedDict,
    Opaque,
    Record,
    Symbol,
)
from squeezespan.untrusted.wording import is_name, shown

__all__ = ["OBJECT_STEPS"]

_BYTES_PER_ITEM = 64


def _name(machine: Machine, module: Any, name: Any) -> None:
    if type(module) is not str or type(name) is not str:
        raise MalformedError("it names a global by something that is not text")
    symbol = SYMBOLS.get((module, name))
    if symbol is None:
        if not is_name(module) or not is_name(name):
            raise _refusal(module, name)
        symbol = unknown_class(module, name)
    machine.push(symbol)


def _refusal(module: str, name: str) -> MalformedError:
    asked = shown(ascii(f"{module[:80]}.{name[:80]}")[1:-1], 80)
    return MalformedError(
        f"it asks for {asked}, which no known checkpoint needs; where you trust the file, open "
        "it with the code that wrote it and save the generator's state_dict()"
    )


def _global(machine: Machine) -> None:
    lines = machine.cursor.line(), machine.cursor.line()
    machine.text.charge(sum(map(len, lines)))
    try:
        module, name = (line.decode() for line in lines)
    except UnicodeError as error:
        raise MalformedError("it names a global by something that is not text") from error
    _name(machine, module, name)


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    _name(machine, module, name)


def _reduce(machine: Machine) -> None:
    arguments, symbol = machine.stack.pop(), machine.stack.pop()
    if type(arguments) is not tuple or not isinstance(symbol, Symbol):
        raise MalformedError("it calls what is not a known global")
    machine.calls.charge(1)
    machine.text.charge(sum(map(_cost, arguments)))
    if not symbol.is_known:
        raise _refusal(symbol.module, symbol.name)
    if symbol.apply is not None:
        machine.push(symbol.apply(arguments))
    elif symbol.create is not None and not arguments:
        machine.push(symbol.create(symbol))
    else:
        raise MalformedError(f"it calls {symbol} in an odd way")


def _cost(argument: Any) -> int:
    """Bytes of memory that a call may take to copy an argument, which a memo repeats in a few."""
    if isinstance(argument, str):
        return len(argument)
    return _BYTES_PER_ITEM * len(argument) if isinstance(argument, list | tuple | dict) else 0


def _new_object(machine: Machine) -> None:
    arguments, symbol = machine.stack.pop(), machine.stack.pop()
    if not isinstance(symbol, Symbol) or symbol.create is None:
        raise MalformedError("it makes an instance of what is not a known class")
    if type(arguments) is not tuple or (arguments and symbol.is_known):
        raise MalformedError(f"it makes a {symbol} with arguments")
    machine.calls.charge(1)
    machine.push(symbol.create(symbol))


def _build(machine: Machine) -> None:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, Record | DtypeRecord | ArrayRecord):
        target.set_state(state)
    elif not isinstance(target, Opaque | NamedDict):
        raise MalformedError("it gives a state to what is not a known object")


def _persistent_id(machine: Machine, name: Any) -> None:
    if machine.persistent is None:
        raise MalformedError("it has a persistent id where none belongs")
    machine.calls.charge(1)
    machine.push(machine.persistent(name))


OBJECT_STEPS: dict[bytes, Step] = {
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"\x81": _new_object,
    b"b": _build,
    b"P": lambda machine: _persistent_id(machine, machine.cursor.line()),
    b"Q": lambda machine: _persistent_id(machine, machine.stack.pop()),
}
