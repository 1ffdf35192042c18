"""A pickle's instructions that make numbers, text and bytes."""

import codecs
import re
import struct

from squeezespan.untrusted.pickles.cursor import INLINE_BYTES
from squeezespan.untrusted.pickles.limits import MAX_INTEGER_BYTES
from squeezespan.untrusted.pickles.machine import Machine, Step

__all__ = ["SCALAR_STEPS"]

_LONG_TEXT = 4096
_INTEGER = re.compile(rb"[+-]?[0-9]{1,150}")
_FLOAT = re.compile(rb"[+-]?([0-9.]{1,40}([eE][+-]?[0-9]{1,5})?|inf|nan)")
# What Python 2 and 3 write for characters that don't stand for themselves.
_ESCAPED = re.compile(rb"(?:[^\\]++|\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2}))*+")


def _signed(machine: Machine) -> None:
    machine.push(int.from_bytes(machine.cursor.take(4), "little", signed=True))


def _long(machine: Machine, size: int) -> None:
    length = machine.unsigned(size)
    if length > MAX_INTEGER_BYTES:
        raise machine.error(f"it has an integer of {length:,} bytes")
    machine.push(int.from_bytes(machine.cursor.take(length), "little", signed=True))


def _integer_line(machine: Machine) -> None:
    line = machine.cursor.line()
    if line in (b"00", b"01"):
        machine.push(line == b"01")
        return
    digits = line.removesuffix(b"L")
    if not _INTEGER.fullmatch(digits):
        raise machine.error("it has an integer that is none")
    machine.push(int(digits))


def _float_line(machine: Machine) -> None:
    line = machine.cursor.line()
    try:
        number = float(line) if _FLOAT.fullmatch(line) else None
    except ValueError:
        number = None
    if number is None:
        raise machine.error("it has a number that is none")
    machine.push(number)


def _float(machine: Machine) -> None:
    machine.push(struct.unpack(">d", machine.cursor.take(8))[0])


def _take_text(machine: Machine, size: int) -> bytes:
    length = machine.unsigned(size)
    machine.text.charge(length)
    return machine.cursor.take(length)


def _take_line(machine: Machine) -> bytes:
    line = machine.cursor.line()
    machine.text.charge(len(line))
    return line


def _decode(machine: Machine, data: bytes, encoding: str) -> None:
    try:
        machine.push(data.decode(encoding))
    except UnicodeError as error:
        raise machine.error("it has text that is none") from error


def _text(machine: Machine, size: int) -> None:
    _decode(machine, _take_text(machine, size), "utf-8")


def _text_line(machine: Machine) -> None:
    _decode(machine, _take_line(machine), "raw-unicode-escape")


def _old_text(machine: Machine, size: int) -> None:
    """Strings of Python 2, which are text or bytes; long ones are an array's numbers."""
    length = machine.unsigned(size)
    if length > _LONG_TEXT:
        machine.push(machine.cursor.blob(length))
        return
    machine.text.charge(length)
    _decode(machine, machine.cursor.take(length), "latin-1")


def _old_text_line(machine: Machine) -> None:
    line = _take_line(machine)
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise machine.error("it has text without quotes")
    if not _ESCAPED.fullmatch(line[1:-1]):
        raise machine.error("it has text that is none")
    data, _ = codecs.escape_decode(line[1:-1])
    _decode(machine, data, "latin-1")


def _blob(machine: Machine, size: int) -> None:
    length = machine.unsigned(size)
    if length <= INLINE_BYTES:
        machine.text.charge(length)
    machine.push(machine.cursor.blob(length))


SCALAR_STEPS: dict[bytes, Step] = {
    b"N": lambda machine: machine.push(None),
    b"\x88": lambda machine: machine.push(True),
    b"\x89": lambda machine: machine.push(False),
    b"K": lambda machine: machine.push(machine.unsigned(1)),
    b"M": lambda machine: machine.push(machine.unsigned(2)),
    b"J": _signed,
    b"I": _integer_line,
    b"L": _integer_line,
    b"\x8a": lambda machine: _long(machine, 1),
    b"\x8b": lambda machine: _long(machine, 4),
    b"G": _float,
    b"F": _float_line,
    b"\x8c": lambda machine: _text(machine, 1),
    b"X": lambda machine: _text(machine, 4),
    b"\x8d": lambda machine: _text(machine, 8),
    b"V": _text_line,
    b"S": _old_text_line,
    b"U": lambda machine: _old_text(machine, 1),
    b"T": lambda machine: _old_text(machine, 4),
    b"C": lambda machine: _blob(machine, 1),
    b"B": lambda machine: _blob(machine, 4),
    b"\x8e": lambda machine: _blob(machine, 8),
    b"\x96": lambda machine: _blob(machine, 8),
}
