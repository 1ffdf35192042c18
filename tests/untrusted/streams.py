"""Streams of the old `torch.save`, with anything in any place."""

import io
import pickle
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import torch

MAGIC = 0x1950A86A20F9469CFC6C
_SYSTEM = {
    "protocol_version": 1001,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


class Stored:
    """Pickles as a persistent id."""

    def __init__(self, name: Any) -> None:
        self.name = name


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return obj.name if isinstance(obj, Stored) else None


def stored(
    elements: Any = 6,
    *,
    key: Any = "0",
    kind: Any = torch.FloatStorage,
    location: Any = "cpu",
    more: Sequence[Any] = (None,),
) -> Stored:
    """Give a storage as the stream names it."""
    return Stored(("storage", kind, key, location, elements, *more))


def pickled(content: Any, protocol: int = 2) -> bytes:
    """Pickle what may hold `Stored`."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol).dump(content)
    return buffer.getvalue()


def stream(
    content: Any,
    numbers: Mapping[str, bytes] | None = None,
    *,
    magic: Any = MAGIC,
    version: Any = 1001,
    system: Any = None,
    keys: Any = None,
    counts: Mapping[str, int] | None = None,
    behind: bytes = b"",
) -> bytes:
    """Give a stream.

    Args:
        content: what was saved; bytes stand for its pickle.
        numbers: key to the raw content of a storage of float32.
        magic: what opens the stream.
        version: of the stream.
        system: what it says of the machine that wrote it; bytes stand for its pickle.
        keys: list of the storages.
        counts: numbers that a storage claims to have.
        behind: what follows the end.
    """
    numbers = {"0": bytes(24)} if numbers is None else numbers
    main = content if isinstance(content, bytes) else pickled(content)
    system = _SYSTEM if system is None else system
    parts = [
        pickle.dumps(magic, 2),
        pickle.dumps(version, 2),
        system if isinstance(system, bytes) else pickle.dumps(system, 2),
        main,
        pickle.dumps(sorted(numbers) if keys is None else keys, 2),
    ]
    for key in sorted(numbers):
        count = (counts or {}).get(key, len(numbers[key]) // 4)
        parts.append(struct.pack("<Q", count) + numbers[key])
    return b"".join(parts) + behind
