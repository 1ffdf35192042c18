"""Tensors out of the records that a pickle gives, in the memory of the file itself."""

import io
import mmap
from collections.abc import Mapping
from typing import IO, Any

import torch
from torch import Tensor

from squeezespan.untrusted.pickles.cursor import Blob, Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_TENSORS, Budget
from squeezespan.untrusted.pickles.values import StorageRecord, TensorRecord, check_bounds
from squeezespan.untrusted.torch_files.storages import element_type
from squeezespan.untrusted.torch_files.torch_stream import read_storage

__all__ = ["StorageReader"]

_ALIGNMENT = 16
"""Bytes of the largest number, a complex one."""


class StorageReader:
    """Makes the tensors of one file, each storage once.

    The file is mapped, so that what nobody uses is never read; what is written to a tensor stays in
    memory.

    Args:
        file: an open file of the operating system, which may be closed afterwards.
        places: key of a storage outside the pickle to where its numbers begin in the file.
    """

    def __init__(self, file: IO[bytes], places: Mapping[str, int]) -> None:
        self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self._places = places
        self._storages: dict[int | str, Tensor] = {}
        self._blobs: list[Blob] = []
        self._nested = Budget(MAX_TENSORS, f"it has more than {MAX_TENSORS:,} weights")
        self._left = len(self._data)

    def bytes_of(self, blob: Blob) -> bytes:
        """Give a blob's bytes.

        Raises:
            MalformedError: more were asked for than the file has, so some of them repeatedly.
        """
        self._left -= blob.length
        if self._left < 0:
            raise MalformedError("the same bytes stand for many tensors")
        return self._bytes_of(blob)

    def tensor(self, record: TensorRecord) -> Tensor:
        """Give a tensor, on the CPU.

        Raises:
            MalformedError: its storage is damaged or smaller than the tensor.
        """
        numbers = self._storage(record.storage)
        if record.dtype:
            dtype = element_type(record.dtype)
            numbers = numbers[: len(numbers) // dtype.itemsize * dtype.itemsize].view(dtype)
        check_bounds(record, len(numbers))
        return numbers.as_strided(record.size, record.stride, record.offset)

    def fill(self, content: Any) -> None:
        """Put tensors in the place of their records, in all dicts that are values of dicts.

        Args:
            content: what a pickle gave; it is changed.

        Raises:
            MalformedError: a storage is damaged or smaller than its tensor.
        """
        pending, seen = [content], set()
        while pending:
            value = pending.pop()
            if not isinstance(value, dict) or id(value) in seen:
                continue
            seen.add(id(value))
            for key, item in value.items():
                if isinstance(item, TensorRecord):
                    value[key] = self.tensor(item)
                elif isinstance(item, dict):
                    pending.append(item)

    def _storage(self, record: StorageRecord) -> Tensor:
        # An id stands for a blob as long as the blob lives.
        name = record.key if record.blob is None else id(record.blob)
        if name not in self._storages:
            self._storages[name] = self._read(record)
        return self._storages[name]

    def _read(self, record: StorageRecord) -> Tensor:
        blob = record.blob
        if blob is None:
            return _numbers(self._data, self._places[record.key], record)
        self._nested.charge(1)
        self._blobs.append(blob)
        if blob.data is None:
            end = blob.offset + blob.length
            inner, place = read_storage(Cursor(self._data, blob.offset, end), blob.offset)
            return _numbers(self._data, place, inner)
        inner, place = read_storage(Cursor(io.BytesIO(blob.data), 0, blob.length), blob.offset)
        return _numbers(bytearray(blob.data), place, inner)

    def _bytes_of(self, blob: Blob) -> bytes:
        if blob.data is not None:
            return blob.data
        return self._data[blob.offset : blob.offset + blob.length]


def _numbers(data: mmap.mmap | bytearray, place: int, record: StorageRecord) -> Tensor:
    """A storage as a vector, copied where it doesn't begin as a processor wants it."""
    dtype = element_type(record.dtype)
    if not record.elements:
        return torch.empty(0, dtype=dtype)
    if place % _ALIGNMENT:
        end = place + record.elements * dtype.itemsize
        with memoryview(data) as view, view[place:end] as part:
            data, place = bytearray(part), 0
    return torch.frombuffer(data, dtype=dtype, count=record.elements, offset=place)
