"""The lock that keeps a second process from writing to a folder."""

import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import IO, TextIO

from squeezespan.errors import StorageError, UserError

try:
    import fcntl
except ImportError as error:
    raise UserError(
        "Squeezespan writes runs on Linux and macOS alone: on Windows, use it inside WSL"
    ) from error

__all__ = ["FolderLock", "lock_file"]

_NAME = ".lock"


def lock_file(file: IO[str], *, shared: bool = False) -> None:
    """Lock an open file until it is closed, or say at once that it can't be.

    Args:
        file: what to lock.
        shared: keep out those alone that want it for themselves.

    Raises:
        BlockingIOError: another process has it.
        OSError: its file system has no locks.
    """
    fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


class FolderLock:
    """Held by one process at a time; the system frees it when the process ends, however it ends.

    Args:
        folder: made by `take` where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: TextIO | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            UserError: another process holds it, or the folder can't be written or locked.
            StorageError: the disk is full.
        """
        folder = self._folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / _NAME).open("a+", encoding="utf-8")
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageError(f"could not write {folder}: {error.strerror}") from error
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error
        try:
            lock_file(lock)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise UserError(
                f"{folder} is being written by {holder}; wait for it or choose another --out"
            ) from error
        except OSError as error:
            lock.close()
            raise UserError(
                f"{folder} is on a file system that cannot lock files ({error.strerror}); "
                "choose another --out"
            ) from error
        with contextlib.suppress(OSError):
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}")
            lock.flush()
        self._file = lock

    def is_free(self) -> bool:
        """Tell whether no process holds it, without taking it."""
        try:
            with (self._folder / _NAME).open(encoding="utf-8") as lock:
                lock_file(lock, shared=True)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def release(self) -> None:
        """Let other processes take it."""
        if self._file is not None:
            # On a full disk the holder's name was not written, and would be tried again here.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
