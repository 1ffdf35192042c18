"""Reading the tensors that a module's pickle holds, when they are wanted."""

import io
from typing import IO

from torch import Tensor

from squeezespan.untrusted.pickles.cursor import Blob, Cursor, MalformedError
from squeezespan.untrusted.pickles.values import StorageRecord, TensorRecord, check_bounds
from squeezespan.untrusted.torch_files.torch_stream import read_storage

__all__ = ["StorageReader"]


class StorageReader:
    """Reads the tensors of a module's pickle, each storage once.

    Args:
        file: the pickle.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = file.seek(0, io.SEEK_END)
        self._storages: dict[int, Tensor] = {}
        self._blobs: list[Blob] = []

    def bytes_of(self, blob: Blob) -> bytes:
        """Give a blob's bytes.

        Raises:
            MalformedError: more were asked for than the file has, so some of them repeatedly.
        """
        self._left -= blob.length
        if self._left < 0:
            raise MalformedError("the same bytes stand for many tensors")
        if blob.data is not None:
            return blob.data
        return Cursor(self._file, blob.offset, blob.offset + blob.length).take(blob.length)

    def tensor(self, record: TensorRecord) -> Tensor:
        """Give a tensor, on the CPU.

        Raises:
            MalformedError: its storage is damaged or smaller than the tensor.
        """
        numbers = self._storage(record.storage)
        check_bounds(record, numbers.numel())
        return numbers.as_strided(record.size, record.stride, record.offset)

    def _storage(self, record: StorageRecord) -> Tensor:
        blob = record.blob
        if blob is None:
            raise MalformedError("a tensor has no storage")
        if id(blob) not in self._storages:
            data = self.bytes_of(blob)
            self._storages[id(blob)] = read_storage(data, blob.offset)
            # An id stands for a blob as long as the blob lives.
            self._blobs.append(blob)
        return self._storages[id(blob)]
