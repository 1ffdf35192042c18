"""Pickles whose instructions themselves are the trick: old ones, rare ones, odd operands, names."""

import os
import pickle

from untrusted.content import Canary, Maker, blob, call, glob, number, opcode, program, text

_DICT = glob("collections", "OrderedDict")
_ODD_NAMES = {
    "dots in the name": ("os", "path.os.system"),
    "dots in the module": ("torch.os", "system"),
    "method of a known class": ("collections", "OrderedDict.__class__"),
    "module of a known function": ("torch._utils", "sys.modules"),
    "nothing": ("", ""),
    "no module": ("", "system"),
    "spaces": (" os ", "system "),
    "upper case": ("OS", "SYSTEM"),
    "end of string": ("os\0", "system\0.txt"),
    "wide letters": ("\uff4f\uff53", "\uff53\uff59\uff53\uff54\uff45\uff4d"),
    "cyrillic letters of a known name": ("\u0441\u043ellections", "\u041erderedDict"),
    "known name with a mark above": ("collections", "OrderedDict\u0301"),
    "invisible letter in a known name": ("collections", "Ordered\u200bDict"),
    "known name written backwards": ("collections", "\u202etciDderedrO"),
    "private use of a known module": ("torch.storage", "_load_from_bytes\ue000"),
    "lone surrogate": ("os\udc80", "system"),
    "lines and colours": ("os\n\x1b[2J\x1b[31mall is well\x1b[0m", "system\r"),
    "very long": ("os" * 1_000_000, "system"),
    "path": ("../os", "system"),
    "subclass of a known name": ("torch_utils.persistence", "_reconstruct_persistent_obj2"),
    "known name of another module": ("dnnlib.util", "OrderedDict"),
}


def _named(module: str, name: str) -> Maker:
    return lambda canary: program(call(glob(module, name), text(canary.command)))


def _line_of(module: bytes, name: bytes) -> Maker:
    """GLOBAL, whose names are lines of text."""
    operand = opcode("GLOBAL") + module + b"\n" + name + b"\n"
    return lambda canary: program(call(operand, text(canary.command)), protocol=2)


def _old_instance(canary: Canary) -> bytes:
    begin = b"(S'" + canary.command.encode() + b"'\n"
    return program(begin + opcode("INST") + b"os\nsystem\n", protocol=0)


def _old_object(canary: Canary) -> bytes:
    return program(b"(cos\nsystem\nS'" + canary.command.encode() + b"'\n" + b"o", protocol=1)


def _new_object(canary: Canary) -> bytes:
    return program(glob("os", "_wrap_close"), text(canary.command), b"\x85\x81")


def _new_object_with_arguments(canary: Canary) -> bytes:
    return program(_DICT, text(canary.command), pickle.TUPLE1, pickle.NEWOBJ)


def _new_object_with_keywords(canary: Canary) -> bytes:
    keywords = pickle.EMPTY_DICT + text("args") + text(canary.command) + pickle.SETITEM
    return program(glob("subprocess", "Popen"), b")", keywords, pickle.NEWOBJ_EX)


def _known_with_keywords(_: Canary) -> bytes:
    return program(_DICT, pickle.EMPTY_TUPLE, pickle.EMPTY_DICT, pickle.NEWOBJ_EX)


def _extension(name: str, code: bytes) -> Maker:
    return lambda canary: program(call(opcode(name) + code, text(canary.command)), protocol=2)


def _program(*parts: bytes, protocol: int = 4) -> Maker:
    return lambda _: program(*parts, protocol=protocol)


def _state(key: str) -> bytes:
    return pickle.EMPTY_DICT + text(key) + glob("torch", "float32") + pickle.SETITEM


_MODULE = glob("torch.nn.modules.container", "Sequential") + b")\x81"
_SLOTS = pickle.NONE + _state("forward") + pickle.TUPLE2
_INSTRUCTIONS: dict[str, Maker] = {
    "INST": _old_instance,
    "OBJ": _old_object,
    "NEWOBJ of a foreign class": _new_object,
    "NEWOBJ of a known class with arguments": _new_object_with_arguments,
    "NEWOBJ of a function": _program(glob("torch._utils", "_rebuild_tensor_v2"), b")\x81"),
    "NEWOBJ_EX": _new_object_with_keywords,
    "NEWOBJ_EX of a known class": _known_with_keywords,
    "EXT1": _extension("EXT1", b"\x01"),
    "EXT2": _extension("EXT2", b"\x01\x01"),
    "EXT4": _extension("EXT4", b"\xff\xff\xff\x7f"),
    "NEXT_BUFFER": _program(opcode("NEXT_BUFFER"), protocol=5),
    "READONLY_BUFFER": _program(blob(b"x"), opcode("READONLY_BUFFER"), protocol=5),
    "PERSID": _program(b"P" + b"../../etc/passwd\n", protocol=0),
    "BINPERSID": _program(text("storage"), pickle.BINPERSID),
    "BUILD on a function": _program(glob("torch._utils", "_rebuild_tensor_v2"), _state("x"), b"b"),
    "BUILD on a class": _program(_DICT, _state("__reduce__"), b"b"),
    "BUILD on a module with slots": _program(_MODULE, _SLOTS, pickle.BUILD),
    "BUILD on a module with no dict": _program(_MODULE, text("__setstate__"), pickle.BUILD),
    "BUILD twice": _program(_MODULE, _state("a"), b"b", _state("b"), b"b"),
    "BUILD of __class__": _program(_MODULE, _state("__class__"), b"b"),
    "BUILD on a dict": _program(pickle.EMPTY_DICT, _state("x"), pickle.BUILD),
    "BUILD on a list": _program(pickle.EMPTY_LIST, _state("x"), pickle.BUILD),
    "BUILD on None": _program(pickle.NONE, _state("x"), pickle.BUILD),
    "BUILD of a type with fields": _program(
        call(glob("numpy", "dtype"), text("f4"), pickle.NEWFALSE, pickle.NEWTRUE),
        b"(",
        number(3),
        text("|"),
        pickle.NONE,
        text("fields"),
        pickle.EMPTY_DICT,
        number(-1),
        number(-1),
        number(63),
        b"tb",
    ),
    "array of objects": _program(call(glob("numpy", "dtype"), text("O8"))),
    "array without end": _program(
        call(
            glob("numpy.core.multiarray", "_reconstruct"),
            glob("numpy", "ndarray"),
            number(0),
            blob(b"b"),
        ),
        b"(",
        number(1),
        number(2**31 - 1) * 3,
        pickle.TUPLE3,
        call(glob("numpy", "dtype"), text("f8")),
        pickle.NEWFALSE,
        blob(b"12345678"),
        b"tb",
    ),
    "REDUCE of text": _program(text("os.system"), text("x"), b"\x85R"),
    "REDUCE of a type of numbers": _program(glob("torch", "float32"), b")R"),
    "REDUCE without a tuple": _program(_DICT, pickle.EMPTY_LIST, pickle.REDUCE),
    "SETITEM on a function": _program(_DICT, text("x"), text("y"), pickle.SETITEM),
    "APPEND to a module": _program(_MODULE, text("x"), pickle.APPEND),
    "ADDITEMS to a list": _program(pickle.EMPTY_LIST, b"(", text("x"), opcode("ADDITEMS")),
    "key that is a function": _program(pickle.EMPTY_DICT, _DICT, text("x"), pickle.SETITEM),
    "key that is a list": _program(pickle.EMPTY_DICT, pickle.EMPTY_LIST, text("x"), b"s"),
    "names that are no text": _program(number(1), number(2), pickle.STACK_GLOBAL),
    "names that are bytes": _program(blob(b"os"), blob(b"system"), pickle.STACK_GLOBAL),
    "names that are missing": _program(pickle.STACK_GLOBAL),
    "stack that is empty": _program(b"0" * 10),
    "mark that is missing": _program(pickle.TUPLE),
    "memo that is empty": _program(b"h\xff"),
    "memo with a name": _program(b"gos.system\n", protocol=0),
    "two values": _program(pickle.NONE, pickle.NONE),
    "mark that stays": _program(b"((", pickle.NONE),
    "protocol 255": lambda _: b"\x80\xff" + pickle.NONE + b".",
    "no end": lambda _: b"\x80\x04" + pickle.NONE * 100,
    "unknown instruction": _program(b"\xff"),
    "text in another encoding": _program(pickle.BINUNICODE + b"\2\0\0\0\xff\xfe"),
    "text with an odd escape": _program(b"S'\\q\\400'\n", protocol=0),
    "text with a bad escape": _program(b"S'\\x'\n", protocol=0),
    "number of letters": _program(b"Ios.system\n", protocol=0),
    "second pickle behind the first": lambda canary: (
        program(pickle.EMPTY_DICT) + pickle.dumps(_Late(canary.command))
    ),
}


class _Late:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (self.command,)


INSTRUCTIONS: dict[str, Maker] = {
    **_INSTRUCTIONS,
    **{f"name with {name}": _named(*pair) for name, pair in _ODD_NAMES.items()},
    "line with a carriage return": _line_of(b"os\r", b"system\r"),
    "line of other bytes": _line_of(b"o\xffs", b"system"),
    "line in two encodings": _line_of(b"collections", "OrderedDict".encode("utf-16")),
}
