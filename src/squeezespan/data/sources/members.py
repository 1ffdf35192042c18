"""What an archive may hold: checks that apply to every member, whatever the format."""

import struct
import tarfile
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path

from squeezespan.errors import UserError

__all__ = ["DAMAGE", "check_size", "not_a_file", "safe_name", "unreadable"]

DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the standard library raises on archives that are missing, damaged or of another format;
its parsers take little care to raise errors of their own."""

_LARGEST = 512 * 2**20


def safe_name(name: str, archive: Path) -> str:
    """Give a member's name without empty parts.

    Raises:
        UserError: the path is absolute or climbs out of the archive.
    """
    parts = name.replace("\\", "/").split("/")
    if (parts[0] == "" and len(parts) > 1) or ".." in parts or ":" in parts[0]:
        raise UserError(
            f"{archive} holds {name!r}, whose path climbs out of the archive; "
            "get it from a source that you trust, or unpack it yourself"
        )
    return "/".join(part for part in parts if part not in ("", "."))


def check_size(size: int, name: str, archive: Path) -> None:
    """Refuse a member that is larger than any image has reason to be.

    Raises:
        UserError: it is.
    """
    if size > _LARGEST:
        raise UserError(
            f"{archive} holds {name!r} of {size / 2**20:.0f} MiB; one file may have "
            f"{_LARGEST // 2**20} MiB"
        )


def not_a_file(name: str, archive: Path) -> UserError:
    """Say that a member is a link or a device."""
    return UserError(
        f"{archive} holds {name!r}, which is a link or a device; archives may hold files and "
        "folders alone"
    )


def unreadable(archive: Path, error: Exception) -> UserError:
    """Say why an archive cannot be read, given one of `DAMAGE`."""
    if isinstance(error, FileNotFoundError):
        return UserError(f"there is no archive {archive}; check the path")
    if isinstance(error, PermissionError | IsADirectoryError):
        return UserError(f"cannot read the archive {archive}: {error.strerror}")
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(f"{archive} is damaged or not an archive of the kind it is named: {reason}")
