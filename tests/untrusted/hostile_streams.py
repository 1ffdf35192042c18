"""Files of the old `torch.save` of which one thing lies."""

import io
import os
import pickle
import struct
import tarfile
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from untrusted.content import Call, Canary, Maker
from untrusted.streams import MAGIC, Stored, stored, stream


def _whole(content: Any, numbers: Mapping[str, bytes] | None = None, **options: Any) -> Maker:
    return lambda _: stream(content, numbers, **options)


def _state_of(storage: Stored, **more: Any) -> dict[str, Any]:
    rebuild = torch._utils._rebuild_tensor_v2
    tensor = Call(rebuild, storage, 0, (6,), (1,), False, OrderedDict())
    return {"a": tensor, "b": tensor} | more


def _tar_and_stream(canary: Canary) -> bytes:
    """A stream that is also a tar archive: the name of its first file is the stream's begin.

    The rest of the tar archive is a text in the stream's second pickle that nobody wants.
    """
    valid = stream(_state_of(stored()))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x"))
        for name in ("storages", "tensors", "pickle"):
            data = pickle.dumps(Call(os.system, canary.command), 0)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    whole = bytearray(buffer.getvalue())
    magic, version = pickle.dumps(MAGIC, 2), pickle.dumps(1001, 2)
    begin = magic + pickle.PROTO + b"\x02" + pickle.BINUNICODE
    begin += struct.pack("<L", len(whole) - len(begin) - 4)
    whole[: len(begin)] = begin
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    return bytes(whole) + pickle.POP + version[2:] + valid[len(magic) + len(version) :]


def idle(data: bytes, count: int = 250_000) -> bytes:
    """A pickle that begins with instructions without effect."""
    return data[:2] + (pickle.NONE + pickle.POP) * count + data[2:]


STREAMS: dict[str, Maker] = {
    "os.system in an old file": lambda canary: stream(Call(os.system, canary.command)),
    "os.system as the machine": lambda canary: stream(
        _state_of(stored()), system=Call(os.system, canary.command)
    ),
    "os.system as the version": lambda canary: stream(
        _state_of(stored()), version=Call(os.system, canary.command)
    ),
    "os.system as the keys": lambda canary: stream(
        _state_of(stored()), keys=Call(os.system, canary.command)
    ),
    "os.system behind an old file": lambda canary: stream(
        _state_of(stored()), behind=pickle.dumps(Call(os.system, canary.command))
    ),
    "os.system as the source of a module": lambda canary: stream(
        {"x": Stored(("module", torch.nn.Linear, "x.py", canary.source))}
    ),
    "eval as a location": lambda canary: stream(
        _state_of(stored(location=Call(eval, canary.source)))
    ),
    "half a million instructions about the machine": lambda _: stream(
        _state_of(stored()), system=idle(pickle.dumps({"little_endian": True}, 2))
    ),
    "an old file that is a tar archive too": _tar_and_stream,
    "storage of 2^40 numbers": _whole(_state_of(stored(1 << 40))),
    "storage of 2^40 numbers twice": _whole(_state_of(stored(1 << 40)), counts={"0": 1 << 40}),
    "storage of another length": _whole(_state_of(stored(7))),
    "storage with a key of many letters": _whole(_state_of(stored(key="x" * 100_000))),
    "storage with a key that is a number": _whole(_state_of(stored(key=0))),
    "storage with a key of bytes": _whole(_state_of(stored(key=b"0"))),
    "storage that is a view": _whole(_state_of(stored(more=[("v", 0, 3)]))),
    "storage of half a name": _whole({"x": Stored(("storage",))}),
    "persistent number": _whole({"x": Stored(7)}),
    "persistent text": _whole({"x": Stored("../../etc/passwd")}),
    "only the magic number": lambda _: pickle.dumps(MAGIC, 2),
    "magic numbers without end": lambda _: pickle.dumps(MAGIC, 2) * 10_000,
    "big-endian machine": _whole(_state_of(stored()), system={"little_endian": False}),
    "machine that is a list": _whole(_state_of(stored()), system=[1]),
    "keys that are numbers": _whole(_state_of(stored()), keys=[0]),
    "keys without end": _whole(_state_of(stored()), keys=["0"] * 100_000),
}
