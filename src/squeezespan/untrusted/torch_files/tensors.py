"""Tensors out of the records that a pickle gives, in the memory of the file itself."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.limits import MAX_TENSORS, Budget
from squeezespan.untrusted.pickles.values import StorageRecord, TensorRecord
from squeezespan.untrusted.torch_files.storages import element_type
from squeezespan.untrusted.torch_files.torch_stream import read_storage

__all__ = ["TensorMaker"]

_ALIGNMENT = 16
"""Bytes of the largest number, a complex one."""
_REPEATED = 1 << 16
"""Numbers that a tensor may have whatever its storage."""


class TensorMaker:
    """Makes the tensors of one file, each storage once."""

    def __init__(self) -> None:
        # An id stands for an object as long as the object lives, so records are kept.
        self._storages: dict[int, tuple[StorageRecord, Tensor]] = {}
        self._nested = Budget(MAX_TENSORS, f"it has more than {MAX_TENSORS:,} weights")

    def tensor(self, record: TensorRecord) -> Tensor:
        """Give a tensor, on the CPU.

        Raises:
            MalformedError: its storage is damaged or smaller than the tensor.
        """
        numbers = self._numbers(record.storage)
        if record.dtype:
            dtype = element_type(record.dtype)
            numbers = numbers[: len(numbers) // dtype.itemsize * dtype.itemsize].view(dtype)
        _check_bounds(record, len(numbers))
        return numbers.as_strided(record.size, record.stride, record.offset)

    def fill(self, content: Any) -> None:
        """Put tensors in the place of their records, in all dicts and lists that are in each other.

        Args:
            content: what a pickle gave; it is changed.

        Raises:
            MalformedError: a storage is damaged or smaller than its tensor.
        """
        pending, seen = [content], set()
        while pending:
            value = pending.pop()
            if not isinstance(value, dict | list) or id(value) in seen:
                continue
            seen.add(id(value))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                if isinstance(item, TensorRecord):
                    value[key] = self.tensor(item)
                elif isinstance(item, dict | list):
                    pending.append(item)

    def _numbers(self, record: StorageRecord) -> Tensor:
        key = id(record if record.serialized is None else record.serialized)
        if key not in self._storages:
            found = record
            if record.serialized is not None:
                self._nested.charge(1)
                found = read_storage(record.serialized)
            self._storages[key] = record, _vector(found)
        return self._storages[key][1]


def _vector(record: StorageRecord) -> Tensor:
    """A storage's numbers, copied where they may not be written or are not aligned."""
    dtype = element_type(record.dtype)
    if not record.elements or record.data is None:
        return torch.empty(0, dtype=dtype)
    data = np.frombuffer(record.data, np.uint8)
    if not data.flags.writeable or data.__array_interface__["data"][0] % _ALIGNMENT:
        data = data.copy()
    return torch.from_numpy(data).view(dtype)


def _check_bounds(record: TensorRecord, elements: int) -> None:
    """Refuse a tensor that reaches beyond its storage, or that repeats it into a large one."""
    count = math.prod(record.size)
    steps = zip(record.size, record.stride, strict=True)
    end = record.offset + sum((side - 1) * step for side, step in steps) + 1 if count else 0
    if end > elements:
        raise MalformedError(
            f"a tensor of shape {record.size} needs {end:,} numbers, its storage has {elements:,}"
        )
    if count > max(elements, _REPEATED):
        raise MalformedError(f"a tensor of shape {record.size} repeats {elements:,} numbers")
