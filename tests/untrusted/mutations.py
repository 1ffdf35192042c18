"""Valid checkpoints with damage of every kind, each the same whenever it is made again."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from random import Random

from untrusted.anatomy import Anatomy, dissect
from untrusted.archives import pack

__all__ = ["Mutants"]

_ODD = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
_HUGE = ((1 << 40), (1 << 47), (1 << 62), (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
_DIGITS = (
    *(b"0", b"1", b"2", b"3", b"4", b"7", b"8", b"16", b"32", b"64", b"100", b"-1", b"0.5"),
    *(b"1000000", b"1e400", b"NaN", b"null", b"[]", b"1" * 40),
)
_COSTLY = ("fastgan",)


@dataclass(frozen=True)
class _Seed:
    name: str
    data: bytes
    anatomy: Anatomy
    entries: dict[str, bytes]
    """Of a zip archive; empty for other files."""


class Mutants:
    """Makes damaged files.

    Args:
        valid: name to content of the files to begin with.
        seed: of all choices.
    """

    def __init__(self, valid: Mapping[str, bytes], seed: int) -> None:
        self._seed = seed
        self._seeds = [_prepare(name, data) for name, data in valid.items()]
        # Those that take long to open, once in a while.
        self._weights = [0.2 if name.startswith(_COSTLY) else 1.0 for name in valid]

    def make(self, index: int) -> tuple[str, bytes]:
        """Give the name of the valid file and the content of the damaged one."""
        random = Random(f"{self._seed}-{index}")
        (seed,) = random.choices(self._seeds, self._weights)
        if seed.entries and random.random() < 0.6:
            return seed.name, self._repacked(seed, random)
        data = self._damaged(bytearray(seed.data), seed.anatomy, random)
        return seed.name, data

    def _repacked(self, seed: _Seed, random: Random) -> bytes:
        """A sound archive of damaged entries."""
        entries = dict(seed.entries)
        name = next(x for x in entries if x.endswith("data.pkl"))
        chance = random.random()
        if chance < 0.7:
            entries[name] = self._damaged(bytearray(entries[name]), dissect(entries[name]), random)
        elif chance < 0.85:
            other = random.choice(sorted(entries))
            content = bytearray(entries[other])
            entries[other] = self._damaged(content, Anatomy(), random)
        else:
            removed = entries.pop(random.choice(sorted(entries)))
            entries[random.choice(["archive/x", "x", "archive/data/0", name])] = removed
        return pack(entries)

    def _damaged(self, data: bytearray, anatomy: Anatomy, random: Random) -> bytes:
        """Apply one to four kinds of damage; places shift after those that change the length."""
        for _ in range(random.choice([1, 1, 1, 2, 2, 3, 4])):
            if data:
                self._damage(data, anatomy, random)
        return bytes(data)

    def _damage(self, data: bytearray, anatomy: Anatomy, random: Random) -> None:
        kind = random.random()
        if kind < 0.16:
            _flip(data, anatomy, random)
        elif kind < 0.26 and anatomy.instructions:
            data[_place(data, anatomy, random)] = random.choice(_CODES)
        elif kind < 0.40 and anatomy.instructions:
            _exchange(data, anatomy, random)
        elif kind < 0.60 and anatomy.numbers:
            _renumber(data, anatomy, random)
        elif kind < 0.75 and anatomy.digits:
            _rewrite(data, anatomy, random)
        elif kind < 0.88:
            self._splice(data, anatomy, random)
        elif kind < 0.94:
            del data[random.randrange(len(data)) :]
        else:
            begin = _place(data, anatomy, random)
            del data[begin : begin + random.choice([1, 2, 5, 20, 500])]

    def _splice(self, data: bytearray, anatomy: Anatomy, random: Random) -> None:
        """Put a piece of this or another file in the place of a piece of this one."""
        other = random.choice([None, *self._seeds])
        source, places = (bytes(data), anatomy) if other is None else (other.data, other.anatomy)
        begin, end = _piece(source, places, random)
        first, last = _piece(data, anatomy, random)
        data[first : random.choice([first, last])] = source[begin:end]


_CODES = b"\x80\x95N\x88\x89KMJIL\x8a\x8bGF\x8cX\x8dVSUTCB\x8e\x96()]}\x8f\x85\x86\x87tld\x91aeu"
_CODES += b"s\x90012pqr\x94ghjc\x93R\x81bPQio\x82\x83\x84\x92\x97\x98."


def _prepare(name: str, data: bytes) -> _Seed:
    if not data.startswith(b"PK"):
        return _Seed(name, data, dissect(data), {})
    with zipfile.ZipFile(BytesIO(data)) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    table = data.index(b"PK\1\2")
    numbers = [(i, 4) for i in range(table, len(data) - 4)]
    return _Seed(name, data, Anatomy(numbers=numbers), entries)


def _place(data: bytearray, anatomy: Anatomy, random: Random) -> int:
    """A place that means something, more often than not."""
    if anatomy.instructions and random.random() < 0.8:
        return min(random.choice(anatomy.instructions), len(data) - 1)
    return random.randrange(len(data))


def _piece(data: bytes | bytearray, anatomy: Anatomy, random: Random) -> tuple[int, int]:
    """Begin and end of a few instructions, or of any bytes."""
    if anatomy.instructions and random.random() < 0.8:
        first = random.randrange(len(anatomy.instructions))
        last = min(first + random.choice([1, 1, 2, 5, 40]), len(anatomy.instructions) - 1)
        return anatomy.instructions[first], anatomy.instructions[last]
    begin = random.randrange(len(data))
    return begin, begin + random.choice([1, 4, 16, 200])


def _flip(data: bytearray, anatomy: Anatomy, random: Random) -> None:
    for _ in range(random.choice([1, 1, 1, 2, 8])):
        place = min(_place(data, anatomy, random) + random.choice([0, 1, 2]), len(data) - 1)
        data[place] ^= 1 << random.randrange(8)


def _exchange(data: bytearray, anatomy: Anatomy, random: Random) -> None:
    """Put an instruction in the place of one of the same kind: a text of a text, say."""
    places = [place for place in anatomy.instructions if place < len(data)]
    if len(places) < 2:
        return
    first = random.randrange(len(places) - 1)
    same = [i for i in range(len(places) - 1) if data[places[i]] == data[places[first]]]
    second = random.choice(same)
    piece = bytes(data[places[second] : places[second + 1]])
    data[places[first] : places[first + 1]] = piece


def _renumber(data: bytearray, anatomy: Anatomy, random: Random) -> None:
    place, size = random.choice(anatomy.numbers)
    old = int.from_bytes(data[place : place + size], "little")
    near = (old - 1, old + 1, old * 2, old + 256)
    value = random.choice([random.choice(_ODD), random.choice(_HUGE), random.choice(near)])
    data[place : place + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def _rewrite(data: bytearray, anatomy: Anatomy, random: Random) -> None:
    """Another number where one is written out, with the header's length made to fit."""
    begin, end = random.choice(anatomy.digits)
    value = random.choice(_DIGITS)
    data[begin:end] = value
    header = int.from_bytes(data[:8], "little") + len(value) - (end - begin)
    data[:8] = (header % (1 << 64)).to_bytes(8, "little")
