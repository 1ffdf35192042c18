"""Zip archives of `torch.save` whose container or content is the trick."""

import io
import os
import pickle
import stat
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from checkpoint_files import networks
from torch.storage import _load_from_bytes
from untrusted.archives import entry, pack, patched, unpack
from untrusted.content import Call, Canary, Maker, Sparse, six_numbers

_Entries = dict[str, bytes]
_STORED_SIZE, _SIZE, _FLAGS, _METHOD, _PLACE = 20, 24, 8, 10, 42


def _state() -> dict[str, Any]:
    return {f"w{i}": torch.arange(4.0) for i in range(3)}


def _valid() -> _Entries:
    return unpack(networks.make_network("dcgan").state_dict())


def _with(change: Callable[[_Entries], Any]) -> Maker:
    """A valid archive with other entries."""

    def make(_: Canary) -> bytes:
        entries = _valid()
        found = change(entries)
        return found if isinstance(found, bytes) else pack(entries)

    return make


def _saved(make: Callable[[Canary], Any]) -> Maker:
    """A valid archive with this content."""
    return lambda canary: pack(unpack(make(canary)))


def _named(name: str) -> Maker:
    return _with(lambda valid: valid.update({name: b"x"}))


def _renamed(old: str, new: str) -> Maker:
    return _with(lambda valid: valid.update({new: valid.pop(old)}))


def _rebuilt(function: Any, *arguments: Any) -> Maker:
    return _saved(lambda canary: _state() | {"w": Call(function, *arguments)})


def _tensor(offset: Any, size: Any, stride: Any) -> Maker:
    rebuild = torch._utils._rebuild_tensor_v2
    storage = six_numbers()
    return _rebuilt(rebuild, storage, offset, size, stride, False, OrderedDict())


def _hidden_table(canary: Canary) -> bytes:
    """Two tables of content: one before the end, one where the end says that it is."""
    hostile = pack(unpack({"x": Call(os.system, canary.command)}))
    valid = pack(_valid())
    place = struct.unpack("<L", hostile[-6:-2])[0]
    table = struct.unpack("<L", valid[-6:-2])[0]
    # Python finds a table by its size before the end, other readers by its place in the file.
    moved = hostile + valid[: len(valid) - 22]
    length = len(valid) - 22 - table
    end = valid[-22:-10] + struct.pack("<2LH", length, place, 0)
    return moved + end


def _two_ends(canary: Canary) -> bytes:
    hostile = pack(unpack({"x": Call(os.system, canary.command)}))
    return pack(_valid()) + hostile


def _behind_a_comment(_: Canary) -> bytes:
    return pack(_valid(), comment=b"PK\5\6" + bytes(18))


def _large_end(change: Callable[[list[int]], object]) -> Maker:
    """An archive as torch ends it, with the larger numbers changed."""

    def make(_: Canary) -> bytes:
        buffer = io.BytesIO()
        torch.save(networks.make_network("dcgan").state_dict(), buffer)
        data = bytearray(buffer.getvalue())
        place = len(data) - 22 - 20 - 56
        numbers = list(struct.unpack_from("<4Q", data, place + 24))
        change(numbers)
        struct.pack_into("<4Q", data, place + 24, *numbers)
        return bytes(data)

    return make


def _bomb(_: Canary) -> bytes:
    entries = [(entry(name), data) for name, data in _valid().items()]
    big = entry("archive/data/99", compression=zipfile.ZIP_DEFLATED)
    return pack([*entries, (big, bytes(50 << 20))])


def _compressed_pickle(_: Canary) -> bytes:
    pickled = b"\x80\x02" + pickle.NONE * (50 << 20) + b"."
    big = entry("archive/data.pkl", compression=zipfile.ZIP_DEFLATED)
    return pack([(big, pickled)])


def _patched(name: str, field: int, form: str, value: int) -> Maker:
    return _with(
        lambda valid: patched(
            pack(valid), name=f"archive/{name}".encode(), field=field, form=form, value=value
        )
    )


def _ended(**fields: int) -> Maker:
    return _with(lambda valid: patched(pack(valid), end={int(k[1:]): x for k, x in fields.items()}))


def _overlapping(_: Canary) -> bytes:
    """Many entries that are the same bytes."""
    entries = _valid() | {f"archive/data/{i}": b"x" * 1000 for i in range(100, 200)}
    data = pack(entries)
    first = data.index(b"PK\3\4", data.index(b"archive/data/100"))
    for i in range(101, 200):
        data = patched(
            data, name=f"archive/data/{i}".encode(), field=_PLACE, form="<L", value=first
        )
    return data


def _by_the_thousand(_: Canary) -> bytes:
    return pack(_valid() | {f"archive/data/x{i}": b"" for i in range(60_000)})


def _described_twice(_: Canary) -> bytes:
    large = struct.pack("<2H2Q", 1, 16, 224, 224)
    entries = [(entry(name), data) for name, data in _valid().items()]
    entries[0][0].extra = large * 2
    return pack(entries)


def _link(_: Canary) -> bytes:
    """An entry that is a link takes nothing from outside: torch reads it as numbers."""
    entries = [(entry(name), data) for name, data in _valid().items() if "data/0" not in name]
    return pack([*entries, (entry("archive/data/0", mode=stat.S_IFLNK | 0o777), b"/etc/passwd")])


def _nested_dicts(_: Canary) -> Any:
    inner: dict[str, Any] = {"a": torch.zeros(1)}
    for _level in range(3):
        inner = {f"k{i}": inner for i in range(1000)}
    return inner


def _large_numbers(_: Canary) -> Sparse:
    """Eight gigabytes that are there, as the byte order of a machine."""
    data = pack(_valid())
    return Sparse(data, 1 << 33)


ARCHIVES: dict[str, Maker] = {
    "os.system in an archive": _saved(lambda canary: Call(os.system, canary.command)),
    "os.system beside weights": _saved(
        lambda canary: {"state_dict": _state(), "args": Call(os.system, canary.command)}
    ),
    "eval as a weight": _saved(lambda canary: _state() | {"w": Call(eval, canary.source)}),
    "storage in a storage": _saved(
        lambda canary: (
            _state() | {"w": Call(_load_from_bytes, pickle.dumps(Call(os.system, canary.command)))}
        )
    ),
    "module in an archive": _saved(lambda _: torch.nn.Linear(2, 2)),
    "tensor of a subclass": _rebuilt(
        torch._tensor._rebuild_from_type_v2, os.system, torch.Tensor, (), {}
    ),
    "tensor on the meta device": _rebuilt(
        torch._utils._rebuild_meta_tensor_no_storage, torch.float32, (2,), (1,), False
    ),
    "tensor that is sparse in an archive": _saved(
        lambda _: _state() | {"w": torch.zeros(3).to_sparse()}
    ),
    "tensor that is complex in an archive": _saved(
        lambda _: _state() | {"w": torch.zeros(3, dtype=torch.complex64)}
    ),
    "shape of 2^80 in an archive": _tensor(0, (1 << 40, 1 << 40), (0, 0)),
    "shape that repeats in an archive": _tensor(0, (1 << 17, 1 << 17), (0, 0)),
    "shape of nothing times much in an archive": _tensor(0, (0, 1 << 47, 1 << 47), (1, 1, 1)),
    "offset of 2^62 in an archive": _tensor(1 << 62, (6,), (1,)),
    "stride of -1 in an archive": _tensor(5, (6,), (-1,)),
    "dicts in dicts that share": _saved(_nested_dicts),
    "prefixes without end": _saved(
        lambda _: {"module." * 30_000 + x: torch.zeros(1) for x in "ab"}
    ),
    "names with lines": _saved(lambda _: {f"x\n\x1b[31m{i}": torch.zeros(1) for i in range(3)}),
    "names that are numbers": _saved(lambda _: {i: torch.zeros(1) for i in range(3)}),
    "network whose name has lines, in an archive": _saved(lambda _: {"x\n\x1b[0m": _state()}),
    "weights by the hundred thousand": _saved(
        lambda _: [torch.zeros(1)] * 2 + [Call(OrderedDict) for _ in range(120_000)]
    ),
    "rosinality's names with others": _saved(
        lambda _: {"input.input": torch.zeros(1, 2, 4, 4), "x": torch.zeros(1)}
    ),
    "rosinality's names with huge numbers": _saved(
        lambda _: {
            "input.input": torch.zeros(1, 2, 4, 4),
            "convs.9999.conv.weight": torch.zeros(1),
            "to_rgbs.9999.bias": torch.zeros(1),
        }
    ),
    "path that climbs out": _named("archive/../../../escaped"),
    "path outside the folder": _named("elsewhere/x"),
    "path from the root": _named("/etc/escaped"),
    "path of Windows": _named("archive\\..\\escaped"),
    "name with a null byte": _with(
        lambda valid: pack(valid | {"archive/data/zz": b"x"}).replace(b"data/zz", b"data/\0z")
    ),
    "name with lines": _named("archive/x\n\x1b[31m"),
    "name of other letters": _named("archive/d\u0430ta.pkl"),
    "second pickle": _named("archive/data/data.pkl"),
    "second pickle in capitals": _named("archive/DATA.PKL"),
    "second byte order in capitals": _named("archive/ByteOrder"),
    "storage in capitals": _renamed("archive/data/0", "archive/DATA/0"),
    "pickle in a deeper folder": _with(
        lambda valid: pack({f"a/{name}": data for name, data in valid.items()})
    ),
    "pickle in no folder": _with(
        lambda valid: pack({x.removeprefix("archive/"): data for x, data in valid.items()})
    ),
    "no pickle": _with(lambda valid: valid.pop("archive/data.pkl") and None),
    "TorchScript": _named("archive/constants.pkl"),
    "storage that is missing": _with(lambda valid: valid.pop("archive/data/0") and None),
    "storage that is shorter": _with(lambda valid: valid.update({"archive/data/0": b"x"})),
    "storage that is a link": _link,
    "byte order of another machine": _with(lambda x: x.update({"archive/byteorder": b"big"})),
    "byte order of a megabyte": _with(lambda x: x.update({"archive/byteorder": b"l" * 1_000_000})),
    "pickle with more behind": _with(
        lambda valid: valid.update({"archive/data.pkl": valid["archive/data.pkl"] + b"cos\n"})
    ),
    "pickle that is cut": _with(
        lambda valid: valid.update({"archive/data.pkl": valid["archive/data.pkl"][:-9]})
    ),
    "pickle that is empty": _with(lambda valid: valid.update({"archive/data.pkl": b""})),
    "zip bomb": _bomb,
    "compressed pickle": _compressed_pickle,
    "entries that share bytes": _overlapping,
    "entries by the thousand": _by_the_thousand,
    "entry described twice": _described_twice,
    "entry that is encrypted": _patched("data.pkl", _FLAGS, "<H", 1),
    "entry of an unknown compression": _patched("data.pkl", _METHOD, "<H", 99),
    "entry that is longer than the file": _patched("data.pkl", _SIZE, "<L", 1 << 31),
    "entry that stands elsewhere": _patched("data/0", _PLACE, "<L", 7),
    "entry that stands behind the end": _patched("data/0", _PLACE, "<L", 0xFFFFFFF0),
    "entry of another stored size": _patched("data/0", _STORED_SIZE, "<L", 1),
    "table that begins elsewhere": _ended(_6=0),
    "table of 4 GiB": _ended(_5=0xFFFFFFFF),
    "table of no entries": _ended(_3=0, _4=0),
    "table of other entries": _ended(_3=1, _4=1),
    "table that is hidden": _hidden_table,
    "archive behind an archive": _two_ends,
    "end inside a comment": _behind_a_comment,
    "larger end with another place": _large_end(lambda x: x.__setitem__(3, 0)),
    "larger end with another count": _large_end(lambda x: x.__setitem__(1, 1 << 60)),
    "larger end with a huge table": _large_end(lambda x: x.__setitem__(2, 1 << 63)),
    "archive before 8 GB of zeros": _large_numbers,
    "archive that is cut": _with(lambda valid: pack(valid)[:-30]),
    "archive with something before it": _with(lambda valid: b"PK\3\4" + pack(valid)),
    "only the end of an archive": lambda _: b"PK\3\4" + b"PK\5\6" + bytes(18),
}
