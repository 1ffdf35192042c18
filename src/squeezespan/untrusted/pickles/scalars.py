"""A pickle's instructions that make numbers, text and bytes."""

import codecs
import re
import struct

from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.limits import MAX_INTEGER_BYTES
from squeezespan.untrusted.pickles.machine import Machine, Step

__all__ = ["SCALAR_STEPS"]

_LONG_TEXT = 4096
_INTEGER = re.compile(rb"[+-]?[0-9]{1,150}L?")
_FLOAT = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?|[+-]?(inf|nan)")
# What Python 2 and 3 write for characters that don't stand for themselves.
_ESCAPED = re.compile(rb"(?:[^\\]++|\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2}))*+")


def _signed(machine: Machine, length: int) -> None:
    if length > MAX_INTEGER_BYTES:
        raise MalformedError(f"it has an integer of {length:,} bytes")
    machine.push(int.from_bytes(machine.cursor.view(length), "little", signed=True))


def _integer_line(machine: Machine) -> None:
    line = machine.cursor.line()
    if line in (b"00", b"01"):
        machine.push(line == b"01")
    elif _INTEGER.fullmatch(line):
        machine.push(int(line.removesuffix(b"L")))
    else:
        raise MalformedError("it has an integer that is none")


def _float_line(machine: Machine) -> None:
    line = machine.cursor.line()
    if len(line) > 50 or not _FLOAT.fullmatch(line):
        raise MalformedError("it has a number that is none")
    machine.push(float(line))


def _float(machine: Machine) -> None:
    machine.push(struct.unpack(">d", machine.cursor.view(8))[0])


def _line(machine: Machine) -> bytes:
    line = machine.cursor.line()
    machine.text.charge(len(line))
    return line


def _decode(machine: Machine, data: bytes, encoding: str) -> None:
    try:
        machine.push(data.decode(encoding))
    except UnicodeError as error:
        raise MalformedError("it has text that is none") from error


def _sized(machine: Machine, length: int, encoding: str) -> None:
    machine.text.charge(length)
    _decode(machine, machine.cursor.take(length), encoding)


def _text(machine: Machine, size: int) -> None:
    _sized(machine, machine.cursor.unsigned(size), "utf-8")


def _text_line(machine: Machine) -> None:
    _decode(machine, _line(machine), "raw-unicode-escape")


def _old_text(machine: Machine, size: int) -> None:
    """Strings of Python 2, which are text or bytes; long ones are an array's numbers."""
    length = machine.cursor.unsigned(size)
    if length > _LONG_TEXT:
        machine.push(machine.cursor.view(length))
    else:
        _sized(machine, length, "latin-1")


def _old_text_line(machine: Machine) -> None:
    line = _line(machine)
    quoted = len(line) > 1 and line[:1] == line[-1:] and line[:1] in (b"'", b'"')
    if not quoted or not _ESCAPED.fullmatch(line[1:-1]):
        raise MalformedError("it has text that is none")
    _decode(machine, codecs.escape_decode(line[1:-1])[0], "latin-1")


def _bytes(machine: Machine, size: int) -> None:
    machine.push(machine.cursor.view(machine.cursor.unsigned(size)))


SCALAR_STEPS: dict[bytes, Step] = {
    b"N": lambda machine: machine.push(None),
    b"\x88": lambda machine: machine.push(True),
    b"\x89": lambda machine: machine.push(False),
    b"K": lambda machine: machine.push(machine.cursor.unsigned(1)),
    b"M": lambda machine: machine.push(machine.cursor.unsigned(2)),
    b"J": lambda machine: _signed(machine, 4),
    b"I": _integer_line,
    b"L": _integer_line,
    b"\x8a": lambda machine: _signed(machine, machine.cursor.unsigned(1)),
    b"\x8b": lambda machine: _signed(machine, machine.cursor.unsigned(4)),
    b"G": _float,
    b"F": _float_line,
    b"\x8c": lambda machine: _text(machine, 1),
    b"X": lambda machine: _text(machine, 4),
    b"\x8d": lambda machine: _text(machine, 8),
    b"V": _text_line,
    b"S": _old_text_line,
    b"U": lambda machine: _old_text(machine, 1),
    b"T": lambda machine: _old_text(machine, 4),
    b"C": lambda machine: _bytes(machine, 1),
    b"B": lambda machine: _bytes(machine, 4),
    b"\x8e": lambda machine: _bytes(machine, 8),
    b"\x96": lambda machine: _bytes(machine, 8),
}
