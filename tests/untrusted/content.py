"""What a hostile file is made of."""

import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

__all__ = [
    "Call",
    "Canary",
    "Content",
    "Maker",
    "Sparse",
    "blob",
    "call",
    "glob",
    "number",
    "opcode",
    "program",
    "six_numbers",
    "text",
    "write",
]


@dataclass(frozen=True)
class Canary:
    """A file that exists only after something of a checkpoint ran."""

    path: Path

    @property
    def command(self) -> str:
        """For a shell."""
        return f"touch {self.path}"

    @property
    def source(self) -> str:
        """For Python."""
        return f"open({str(self.path)!r}, 'w').close()"


@dataclass(frozen=True)
class Sparse:
    """A file that takes little room on the disk and is huge."""

    begin: bytes
    size: int


Content = bytes | Sparse
Maker = Callable[[Canary], Content]


def write(path: Path, content: Content) -> None:
    """Write a file."""
    if isinstance(content, Sparse):
        with path.open("wb") as file:
            file.write(content.begin)
            file.truncate(content.size)
    else:
        path.write_bytes(content)


class Call:
    """Pickles as a call, as an object with a hostile `__reduce__` does."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


def six_numbers() -> Any:
    """Give the memory of six numbers as tensors pickle it."""
    memory: Any = torch.zeros(6)
    return memory._typed_storage()


# Parts of a pickle, assembled by hand where Python's own pickler would not write them.


def opcode(name: str) -> bytes:
    """Give an instruction by its name in `pickletools`."""
    return _CODES[name]


_CODES = {code.name: code.code.encode("latin-1") for code in pickletools.opcodes}


def program(*parts: bytes, protocol: int = 4) -> bytes:
    """Give a pickle of these instructions."""
    begin = pickle.PROTO + bytes([protocol]) if protocol >= 2 else b""
    return begin + b"".join(parts) + pickle.STOP


def text(value: str) -> bytes:
    """Push text."""
    data = value.encode("utf-8", "surrogatepass")
    return pickle.BINUNICODE + len(data).to_bytes(4, "little") + data


def blob(value: bytes) -> bytes:
    """Push bytes."""
    return pickle.BINBYTES + len(value).to_bytes(4, "little") + value


def number(value: int) -> bytes:
    """Push a small number."""
    return pickle.BININT + value.to_bytes(4, "little", signed=True)


def glob(module: str, name: str) -> bytes:
    """Push a global."""
    return text(module) + text(name) + pickle.STACK_GLOBAL


def call(function: bytes, *arguments: bytes) -> bytes:
    """Push the result of a call."""
    return function + pickle.MARK + b"".join(arguments) + pickle.TUPLE + pickle.REDUCE
