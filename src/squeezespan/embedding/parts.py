"""Features on their way to a file: kept in parts beside it, so that a killed work goes on."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from squeezespan.embedding.table import Floats, Integers, Part
from squeezespan.errors import UserError
from squeezespan.files import atomic_write, write_json
from squeezespan.runs.lock import FolderLock

__all__ = ["Parts"]

_WHOLE = "whole"


class Parts:
    """The folder `NAME.partial` beside a file `NAME` that is being made.

    Args:
        out: the file.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self.folder = out.with_name(f"{out.name}.partial")
        self._lock = FolderLock(self.folder)

    def open(self, job: dict[str, Any]) -> None:
        """Take the folder for this process, and make sure that its parts are of the same work.

        Args:
            job: all that the features depend on, ready for JSON.

        Raises:
            UserError: the parts are of other features, or another process is writing them.
            StorageError: the disk is full.
        """
        self._lock.take()
        try:
            self._check(job)
        except BaseException:
            self.close()
            raise

    def count(self) -> int:
        """Give how many parts are whole; they follow each other from the first."""
        number = 0
        while self._path(number).exists():
            number += 1
        return number

    def save(self, number: int, rows: Integers, features: Floats) -> None:
        """Keep a part.

        Raises:
            StorageError: the disk is full.
        """
        buffer = io.BytesIO()
        np.savez(buffer, rows=rows, features=features)
        atomic_write(self._path(number), lambda path: path.write_bytes(buffer.getbuffer()))

    def read(self) -> Iterator[Part]:
        """Read the parts in order.

        Raises:
            UserError: one is damaged.
        """
        for number in range(self.count()):
            path = self._path(number)
            try:
                with np.load(path) as arrays:
                    part = Part(arrays["rows"], arrays["features"])
            # zipfile, numpy and zlib each have errors of their own.
            except Exception as error:
                raise UserError(
                    f"{path} is damaged; delete {self.folder} and start again"
                ) from error
            yield part

    def finish(self, write: Callable[[Path], object]) -> None:
        """Let `write` make the file, put it under its name, and remove the parts.

        Raises:
            UserError: something has come to stand under the name.
            StorageError: the disk is full; the parts are kept.
        """
        whole = self.folder / _WHOLE
        atomic_write(whole, write)
        if self._out.exists():
            raise UserError(
                f"{self._out} has come to exist meanwhile; move it and start again, which only "
                "puts the finished file in its place"
            )
        whole.replace(self._out)
        shutil.rmtree(self.folder)

    def close(self) -> None:
        """Let other processes write."""
        self._lock.release()

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06}.npz"

    def _check(self, job: dict[str, Any]) -> None:
        for left in self.folder.glob(".*.part"):
            left.unlink()
        path = self.folder / "job.json"
        if not path.exists():
            write_json(path, job)
            return
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is damaged; delete {self.folder}") from error
        for name, value in job.items():
            if before.get(name) != value:
                raise UserError(
                    f"{self.folder} holds the beginning of another work: {name} was "
                    f"{before.get(name)!r} there and is {value!r} now; delete the folder, or give "
                    "another --out"
                )
