"""Small pickles that would become large objects, or take long, and huge ones."""

import pickle
import struct

from checkpoint_files.foreign import stand_in
from checkpoint_files.persistence import dump
from untrusted.content import Canary, Maker, Sparse, blob, glob, program, text

_MANY = 1_100_000
_HUGE = 1 << 33
_SET = glob("builtins", "set")


def _program(*parts: bytes, protocol: int = 4) -> Maker:
    return lambda _: program(*parts, protocol=protocol)


def _repeat(part: bytes, count: int = _MANY, begin: bytes = b"") -> Maker:
    """A part again and again, made only when it is wanted."""
    return lambda _: program(begin, part * count)


def _sized(code: bytes, form: str, length: int) -> Maker:
    """An instruction that announces more than follows."""
    return lambda _: program(code + struct.pack(form, length), b"x" * 100, protocol=5)


def _sparse(code: bytes, form: str, length: int) -> Maker:
    """An instruction that announces a lot, in a file that has it."""
    begin = b"\x80\x05" + code + struct.pack(form, length)
    return lambda _: Sparse(begin, _HUGE)


def _doubling() -> list[object]:
    value: list[object] = []
    for _level in range(60):
        value = [value, value]
    return value


def _doubled(_: Canary) -> bytes:
    """Each list holds the one before twice: 2^60 values in all."""
    return pickle.dumps({"G_ema": _doubling()})


def _doubled_version(_: Canary) -> bytes:
    """The same where a TensorFlow network has its version, which a message shows."""
    network = object.__new__(stand_in("dnnlib.tflib.network", "Network"))
    network.__dict__["version"] = _doubling()
    return dump((network, network, network))


def _nested_version(_: Canary) -> bytes:
    """A version nested a hundred thousand times."""
    depth = 100_000
    network = object.__new__(stand_in("dnnlib.tflib.network", "Network"))
    network.__dict__["version"] = "the version"
    data = dump((network, network, network))
    place = data.index(b"\x8c\x0bthe version")
    nested = pickle.EMPTY_LIST * depth + pickle.APPEND * (depth - 1)
    content = data[:place] + nested + data[place + 13 :]
    # Without frames, whose lengths would be wrong now.
    return content.replace(data[2:11], b"", 1)


def _colliding(_: Canary) -> bytes:
    """Keys with one hash among numbers."""
    keys = b"".join(_long((2**61 - 1) * i) + pickle.NONE for i in range(1, 50_000))
    return program(pickle.EMPTY_DICT, pickle.MARK, keys, pickle.SETITEMS)


def _crowded(_: Canary) -> bytes:
    """Keys whose places in a dict are chosen, so that each has to be tried after many others."""
    keys = b"".join(_long(i << 18) + pickle.NONE for i in range(1, 100_000))
    return program(pickle.EMPTY_DICT, pickle.MARK, keys, pickle.SETITEMS)


def _long(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little")
    return pickle.LONG1 + bytes([len(data)]) + data


def _tuples(_: Canary) -> bytes:
    """A tuple of itself twice, again and again, as a key: its hash would never be known."""
    return program(pickle.EMPTY_DICT, pickle.NONE + b"2\x86" * 60, pickle.NONE, pickle.SETITEM)


def _repeated_sets(_: Canary) -> bytes:
    names = b"".join(text(f"{i:05d}") for i in range(50_000))
    listed = pickle.EMPTY_LIST + pickle.MARK + names + pickle.APPENDS + pickle.TUPLE1 + b"q\x01"
    return program(_SET, b"q\x00", listed, b"h\x00h\x01R" * 50_000)


def _repeated_text(_: Canary) -> bytes:
    encode = glob("_codecs", "encode") + b"q\x00" + text("x" * 100_000) + text("latin1") + b"\x86"
    return program(encode + b"q\x01", b"h\x00h\x01R" * 50_000)


def _itself(_: Canary) -> bytes:
    """A dict that is its own value, under every name of a module."""
    state = b"}q\x00" + b"".join(
        text(name) + b"h\x00s" for name in ("_parameters", "_buffers", "_modules", "state")
    )
    return program(glob("torch.nn.modules.container", "Sequential"), b")\x81", state, b"b")


def _list_of_itself(_: Canary) -> bytes:
    value: list[object] = []
    value.append(value)
    return pickle.dumps({"G_ema": value, "x": (value,)})


def _modules_in_modules(_: Canary) -> bytes:
    """A chain of 50,000 modules, each the only content of the one before."""
    begin = glob("torch.nn.modules.container", "Sequential") + b"q\x000"
    empty = text("_parameters") + b"}s" + text("_buffers") + b"}s"
    one = b"h\x00)\x81}" + empty + text("_modules") + b"}" + text("0")
    return program(begin, one * 50_000, pickle.NONE, b"ssb" * 50_000)


BOMBS: dict[str, Maker] = {
    "stack of a million values": _repeat(pickle.NONE),
    "stack of a million lists": _repeat(pickle.EMPTY_LIST),
    "stack of a million sets": _repeat(pickle.EMPTY_SET),
    "stack of a million objects": _repeat(
        b"h\x00h\x01R", 400_000, glob("dnnlib.util", "EasyDict") + b"q\x00)q\x01"
    ),
    "memo of a million values": _repeat(b"\x94", begin=pickle.NONE),
    "memo of huge numbers": _repeat(b"r\xff\xff\xff\xff", begin=pickle.NONE),
    "marks without end": _repeat(pickle.MARK),
    "copies of the last value": _repeat(pickle.DUP, begin=text("x" * 100_000)),
    "lists in lists": lambda _: program(b"]" * 400_000, b"a" * 399_999),
    "tuples in tuples": _repeat(pickle.TUPLE1, 900_000, pickle.NONE),
    "dicts in dicts": lambda _: program(b"}" + b"N}" * 300_000, b"s" * 300_000),
    "modules in modules": _modules_in_modules,
    "lists that double": _doubled,
    "version that doubles": _doubled_version,
    "version that is nested": _nested_version,
    "tuples that double as a key": _tuples,
    "list of itself": _list_of_itself,
    "module of itself": _itself,
    "keys that collide": _colliding,
    "keys that crowd": _crowded,
    "set of 50,000 names, 50,000 times": _repeated_sets,
    "text of 100,000 letters, 50,000 times": _repeated_text,
    "blobs of 500 bytes": _repeat(blob(b"x" * 500), 200_000),
    "LONG1 of 255 bytes": _program(pickle.LONG1 + b"\xff" + b"\x7f" * 255),
    "LONG4 of 2 GiB": _sized(pickle.LONG4, "<i", 2**31 - 1),
    "LONG4 of less than nothing": _sized(pickle.LONG4, "<i", -1),
    "LONG4 of 10 MB": lambda _: program(pickle.LONG4 + struct.pack("<i", 10**7), b"\x7f" * 10**7),
    "number of a million digits": lambda _: program(b"I" + b"9" * 10**6 + b"\n", protocol=0),
    "long of a million digits": lambda _: program(b"L" + b"9" * 10**6 + b"L\n", protocol=0),
    "number with a huge exponent": _program(b"F1e99999999\n", protocol=0),
    "BINBYTES of 4 GiB": _sized(pickle.BINBYTES, "<I", 2**32 - 1),
    "BINBYTES8 of 16 EiB": _sized(pickle.BINBYTES8, "<Q", 2**64 - 1),
    "BINUNICODE of 4 GiB": _sized(pickle.BINUNICODE, "<I", 2**32 - 1),
    "BINUNICODE8 of 8 EiB": _sized(pickle.BINUNICODE8, "<Q", 2**63),
    "BYTEARRAY8 of 8 EiB": _sized(pickle.BYTEARRAY8, "<Q", 2**63),
    "FRAME of 16 EiB": _sized(pickle.FRAME, "<Q", 2**64 - 1),
    "BINUNICODE8 of 8 GB that are there": _sparse(pickle.BINUNICODE8, "<Q", _HUGE - 100),
    "BINBYTES8 of 8 GB that are there": _sparse(pickle.BINBYTES8, "<Q", _HUGE - 100),
    "line of 8 GB": lambda _: Sparse(b"\x80\x02V", _HUGE),
    "GLOBAL of 8 GB": lambda _: Sparse(b"\x80\x02c", _HUGE),
    "lines of 300 letters by the ten thousand": _repeat(b"V" + b"x" * 300 + b"\n", 100_000),
    "zeros of 8 GB": lambda _: Sparse(b"\x80\x02", _HUGE),
    "escapes without end": lambda _: program(b"S'" + b"\\\\" * 6_000_000 + b"\\q'\n", protocol=0),
}
