"""Where a checkpoint's bytes mean something: its instructions, lengths and numbers."""

import io
import pickle
import pickletools
import re
import struct
from dataclasses import dataclass, field

__all__ = ["Anatomy", "dissect"]

_STREAM = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
_SIZES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_STREAM_PICKLES = 5
_MOST_STORAGES = 4


@dataclass
class Anatomy:
    """Places in a file."""

    instructions: list[int] = field(default_factory=list)
    """Where a pickle's instructions begin, in order."""
    numbers: list[tuple[int, int]] = field(default_factory=list)
    """Where numbers of so many bytes stand, lengths among them."""
    digits: list[tuple[int, int]] = field(default_factory=list)
    """Begin and end of numbers that are written out."""


def dissect(data: bytes) -> Anatomy:
    """Find the places of a pickle, of a stream of the old `torch.save`, or of safetensors."""
    anatomy = Anatomy()
    if data[8:9] == b"{":
        anatomy.numbers.append((0, 8))
        end = 8 + int(struct.unpack("<Q", data[:8])[0])
        anatomy.digits += [match.span() for match in re.finditer(rb"-?\d+(\.\d+)?", data[:end])]
    elif data.startswith(_STREAM):
        _stream(data, 0, anatomy)
    else:
        storages = _pickle(data, 0, anatomy)[1]
        for place in storages[:_MOST_STORAGES]:
            _stream(data, place, anatomy)
    return anatomy


def _stream(data: bytes, place: int, anatomy: Anatomy) -> None:
    for _ in range(_STREAM_PICKLES):
        place, _ = _pickle(data, place, anatomy)
    anatomy.numbers.append((place, 8))


def _pickle(data: bytes, start: int, anatomy: Anatomy) -> tuple[int, list[int]]:
    """Give where the pickle ends and where streams begin in it."""
    streams, place = [], start
    reader = io.BytesIO(data)
    reader.seek(start)
    for code, argument, found in pickletools.genops(reader):
        place = int(found or 0)
        anatomy.instructions.append(place)
        if code.arg is not None:
            size = _SIZES.get(code.arg.n, code.arg.n)
            if size > 0:
                anatomy.numbers.append((place + 1, size))
            if isinstance(argument, bytes) and argument.startswith(_STREAM):
                streams.append(place + 1 + size)
    return place + 1, streams
