"""`metrics.jsonl`: one JSON object a line, never with a gap or a line twice."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from squeezespan.errors import StorageError

__all__ = ["MetricsFile"]


class MetricsFile:
    """Appends lines, and forgets those that came after the checkpoint a run resumes from.

    Args:
        path: the file; it is made if missing.
        position: bytes to keep, as `position` gave them when the checkpoint was written.

    Raises:
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path, position: int = 0) -> None:
        self._path = path
        try:
            self._file = path.open("ab")
            # A file shorter than this lost its end with the machine's power.
            self._file.truncate(min(position, path.stat().st_size))
        except OSError as error:
            raise StorageError(f"could not write {path}: {error.strerror}") from error

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one line and hand it to the system.

        Raises:
            StorageError: the disk is full.
        """
        line = json.dumps(record, ensure_ascii=False) + "\n"
        try:
            self._file.write(line.encode())
            self._file.flush()
        except OSError as error:
            raise StorageError(f"could not write {self._path}: {error.strerror}") from error

    def position(self) -> int:
        """Bring all lines to the disk and give the file's length in bytes.

        Raises:
            StorageError: the disk is full.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StorageError(f"could not write {self._path}: {error.strerror}") from error
        return self._path.stat().st_size

    def close(self) -> None:
        """Close the file.

        Raises:
            StorageError: the disk is full.
        """
        try:
            self._file.close()
        except OSError as error:
            raise StorageError(f"could not write {self._path}: {error.strerror}") from error
