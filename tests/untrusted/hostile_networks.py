"""Snapshots of StyleGAN2 of which one thing lies: a tensor, its storage, a module or a name."""

import io
import os
import pickle
import tarfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from checkpoint_files import networks
from checkpoint_files.foreign import instance
from checkpoint_files.persistence import Persistent, dump, snapshot
from checkpoint_files.pickling import pickled
from torch import nn
from torch.storage import _load_from_bytes
from untrusted.content import Call, Canary, Maker, six_numbers
from untrusted.hostile_streams import idle
from untrusted.streams import Stored, stored, stream
from untrusted.streams import pickled as pickled_storage

from squeezespan.generators.base import Generator

_Change = Callable[[Generator, Canary], object]


def _snapshot(change: _Change, name: str = "stylegan2") -> Maker:
    def make(canary: Canary) -> bytes:
        generator = networks.make_network(name)
        change(generator, canary)
        return dump(snapshot(pickled(generator)))

    return make


def _with_average(value: Any) -> _Change:
    """Another thing in the place of the average of w, a vector of 6."""

    def change(generator: Generator, canary: Canary) -> None:
        found = value(canary) if callable(value) else value
        generator.get_submodule("mapping")._buffers["w_avg"] = found

    return change


def _tensor(
    offset: Any = 0, size: Any = (6,), stride: Any = (1,), storage: Any = None
) -> Callable[[Canary], Call]:
    def make(canary: Canary) -> Call:
        memory = six_numbers() if storage is None else storage(canary)
        rebuild = torch._utils._rebuild_tensor_v2
        return Call(rebuild, memory, offset, size, stride, False, OrderedDict())

    return make


_TENSORS: dict[str, Callable[[Canary], Any]] = {
    "shape beyond its storage": _tensor(size=(7,)),
    "shape of 2^40": _tensor(size=(1 << 40,)),
    "shape whose product overflows": _tensor(size=(1 << 33, 1 << 33), stride=(0, 0)),
    "shape of nothing times much": _tensor(size=(0, 1 << 47, 1 << 47), stride=(1, 1, 1)),
    "shape that repeats one number": _tensor(size=(1 << 20, 1 << 20), stride=(0, 0)),
    "shape that overlaps": _tensor(size=(1 << 16, 1 << 16), stride=(1, 1)),
    "shape of nine axes": _tensor(size=(1,) * 9, stride=(1,) * 9),
    "shape of a thousand axes": _tensor(size=(1,) * 1000, stride=(1,) * 1000),
    "shape that is negative": _tensor(size=(-6,)),
    "shape that is true": _tensor(size=(True,)),
    "shape that is no whole number": _tensor(size=(6.0,)),
    "shape that is text": _tensor(size="6"),
    "shape of 2^500": _tensor(size=(1 << 500,)),
    "stride that is negative": _tensor(stride=(-1,)),
    "stride of 2^47": _tensor(stride=(1 << 47,)),
    "stride of 2^63": _tensor(stride=(1 << 63,)),
    "stride that is missing": _tensor(stride=()),
    "offset beyond its storage": _tensor(offset=1),
    "offset that is negative": _tensor(offset=-1),
    "offset of 2^62": _tensor(offset=1 << 62),
    "tensor that is a module": lambda _: nn.Linear(2, 2),
    "tensor that is text": lambda _: "w_avg",
    "tensor on a device of its own": lambda canary: Call(
        torch._utils._rebuild_device_tensor_from_numpy, canary.command, "f4", "cpu", False
    ),
    "tensor that is quantized": lambda _: Call(
        torch._utils._rebuild_qtensor, six_numbers(), 0, (6,), (1,), (), False, {}
    ),
    "tensor that is sparse": lambda _: torch.zeros(6).to_sparse(),
    "tensor that is complex": lambda _: torch.zeros(6, dtype=torch.complex64),
    "tensor that is not finite": lambda _: torch.full((6,), torch.nan),
    "tensor of another shape": lambda _: torch.zeros(5),
    "storage that is text": _tensor(storage=lambda _: "storage"),
    "storage that is a tensor": _tensor(storage=lambda _: torch.zeros(6)),
}


def _tar(canary: Canary) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("storages", "tensors", "pickle", "../escaped"):
            data = pickle.dumps(Call(os.system, canary.command))
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _zip(canary: Canary) -> bytes:
    buffer = io.BytesIO()
    torch.save({"x": Call(os.system, canary.command)}, buffer)
    return buffer.getvalue()


_STREAMS: dict[str, Callable[[Canary], bytes]] = {
    "hostile pickle": lambda canary: pickle.dumps(Call(os.system, canary.command)),
    "hostile content": lambda canary: stream(Call(os.system, canary.command)),
    "hostile machine": lambda canary: stream(stored(), system=Call(os.system, canary.command)),
    "hostile keys": lambda canary: stream(stored(), keys=Call(os.system, canary.command)),
    "hostile location": lambda canary: stream(stored(location=Call(eval, canary.source))),
    "hostile kind": lambda canary: stream(stored(kind=os.system)),
    "hostile pickle behind": lambda canary: stream(
        stored(), behind=pickle.dumps(Call(os.system, canary.command))
    ),
    "a zip archive": _zip,
    "a tar archive": _tar,
    "another stream in it": lambda canary: stream(
        Call(_load_from_bytes, stream(Call(os.system, canary.command)))
    ),
    "a module's source": lambda canary: stream(
        Stored(("module", nn.Linear, "source.py", canary.source))
    ),
    "a view": lambda _: stream(stored(more=[("view", 0, 6)])),
    "a storage of bytes": lambda _: stream(stored(kind=torch.UntypedStorage)),
    "a storage of 2^40 numbers": lambda _: stream(stored(1 << 40)),
    "a storage of -1 numbers": lambda _: stream(stored(-1)),
    "a storage that is shorter": lambda _: stream(stored(7)),
    "a storage that is longer": lambda _: stream(stored(), counts={"0": 7}),
    "a storage of 2^63 numbers": lambda _: stream(stored(), counts={"0": 1 << 63}),
    "another key": lambda _: stream(stored(key="../../etc/passwd")),
    "a key twice": lambda _: stream(stored(), keys=["0", "0"]),
    "a key that is missing": lambda _: stream(stored(), keys=[]),
    "two storages": lambda _: stream([stored(), stored(key="1")], {"0": bytes(24), "1": bytes(24)}),
    "one storage in two ways": lambda _: stream([stored(), stored(5)]),
    "a dict": lambda _: stream({"storage": stored()}),
    "no storage": lambda _: stream(None, {}),
    "numbers in the other order": lambda _: stream(stored(), system={"little_endian": False}),
    "another magic number": lambda _: stream(stored(), magic=1),
    "another version": lambda _: stream(stored(), version=1000),
    "its end missing": lambda _: stream(stored())[:-1],
    "half a million idle instructions": lambda _: stream(idle(pickled_storage(stored()))),
    "nothing": lambda _: b"",
    "zeros": lambda _: bytes(1000),
}


def _stream(make: Callable[[Canary], bytes]) -> Maker:
    def storage(canary: Canary) -> Call:
        return Call(_load_from_bytes, make(canary))

    return _snapshot(_with_average(_tensor(storage=storage)))


def _module(state: dict[str, Any]) -> Any:
    empty: dict[str, Any] = {"_parameters": {}, "_buffers": {}, "_modules": {}}
    return instance("torch_utils.modules", "Any", empty | state).__dict__


def _record(**state: Any) -> Persistent:
    return Persistent("Generator", _module(state), "")


def _tree(leaf: Any, levels: int, children: int) -> Any:
    """A module that holds the one below several times, and so on."""
    for _ in range(levels):
        leaf = _record(_modules={str(i): leaf for i in range(children)})
    return leaf


def _dumped(make: Callable[[], Any]) -> Maker:
    return lambda _: dump({"G_ema": make()})


def _again(canary: Canary) -> bytes:
    """An object that gets its state twice, and whose class name is long and has lines."""
    record = Persistent("Generator\n\x1b[31m" + "x" * 100_000, _module({}), canary.source)
    function, arguments = record.__reduce__()
    return dump({"G_ema": Call(function, *arguments, state={"x": 1})})


_ODD_NAME = "weight\n\x1b[31mall is well\x1b[0m"
_MODULES: dict[str, Maker] = {
    "modules that double": _dumped(lambda: _tree(_record(), 30, 2)),
    "modules by the thousand": _dumped(lambda: _tree(_record(), 3, 1000)),
    "modules with many attributes": _dumped(
        lambda: _tree(_record(**{f"_{i}": None for i in range(50_000)}), 1, 15_000)
    ),
    "modules with many odd attributes": _dumped(
        lambda: _tree(_record(**{f"\n{i}": None for i in range(50_000)}), 1, 15_000)
    ),
    "modules with many absent weights": _dumped(
        lambda: _tree(_record(_parameters=dict.fromkeys(map(str, range(50_000)))), 1, 15_000)
    ),
    "modules with many absent parts": _dumped(
        lambda: _tree(_record(_modules=dict.fromkeys(map(str, range(50_000)))), 1, 15_000)
    ),
    "modules with many arguments": _dumped(
        lambda: _tree(_record(_init_kwargs=dict.fromkeys(range(50_000))), 1, 15_000)
    ),
    "networks by the thousand": lambda _: dump(
        dict.fromkeys(map(str, range(50_000)), _tree(_record(), 2, 100))
    ),
    "module of a module that is text": _dumped(lambda: _record(_modules={"a": "b"})),
    "module whose name is a number": _dumped(lambda: _record(_modules={1: _record()})),
    "module whose name has lines": _dumped(lambda: _record(_modules={_ODD_NAME: _record()})),
    "weight whose name has lines": _dumped(
        lambda: _record(_parameters={_ODD_NAME: torch.zeros(2)})
    ),
    "weight whose name is long": _dumped(
        lambda: _record(_parameters={"x" * 100_000: torch.zeros(2)})
    ),
    "network whose name has lines": lambda _: dump({_ODD_NAME: _record()}),
    "object with two states": _again,
    "object of another type": lambda canary: dump(
        Call(
            Persistent("x", {}, "").__reduce__()[0],
            {"type": "function", "module_src": canary.source, "class_name": "x", "state": {}},
        )
    ),
    "object without a class": lambda canary: dump(
        Call(Persistent("x", {}, "").__reduce__()[0], {"module_src": canary.source})
    ),
    "only the source of a module": lambda canary: dump(
        {"G_ema": Persistent("Generator", {}, canary.source)}
    ),
}

NETWORKS: dict[str, Maker] = {
    **{name: _snapshot(_with_average(make)) for name, make in _TENSORS.items()},
    **{f"tensor's bytes are or have {name}": _stream(make) for name, make in _STREAMS.items()},
    **_MODULES,
}
