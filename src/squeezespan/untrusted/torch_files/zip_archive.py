"""The zip archive that `torch.save` writes, checked before torch reads it."""

import io
import struct
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from squeezespan.untrusted.pickles.cursor import Cursor, MalformedError
from squeezespan.untrusted.pickles.limits import MAX_PICKLE_BYTES
from squeezespan.untrusted.pickles.symbols import TORCH_SYMBOLS
from squeezespan.untrusted.pickles.unpickler import RestrictedUnpickler
from squeezespan.untrusted.pickles.values import StorageRecord
from squeezespan.untrusted.torch_files.torch_stream import declared_storages, element_size
from squeezespan.untrusted.torch_files.weights_only import check_protocol, load_weights_only
from squeezespan.untrusted.torch_files.zip_directory import checked_members, read_member
from squeezespan.untrusted.wording import shown

__all__ = ["read_archive"]

_Members = dict[str, zipfile.ZipInfo]


def read_archive(path: Path) -> Any:
    """Read an archive of `torch.save`.

    Args:
        path: the file.

    Returns:
        the content, tensors on the CPU and left in the file until they are used.

    Raises:
        MalformedError: not such an archive, cut short, or with sizes that don't agree.
    """
    try:
        with path.open("rb") as file:
            _check(file, checked_members(path, file))
    # The module has its own error for a few defects and lets those of its parts through for others.
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
        raise MalformedError(f"it is a damaged zip archive: {error}") from error
    except (struct.error, RuntimeError, LookupError) as error:
        raise MalformedError("it is a damaged zip archive") from error
    if path.suffix == ".safetensors":
        # At a path of this name torch sees safetensors whatever stands there.
        with path.open("rb") as file:
            return load_weights_only(file)
    return load_weights_only(str(path), is_mapped=True)


def _check(file: IO[bytes], members: _Members) -> None:
    """Go through an archive without reading the numbers."""
    pickles = [name for name in members if PurePosixPath(name).name.lower() == "data.pkl"]
    if any(PurePosixPath(name).name.lower() == "constants.pkl" for name in members):
        raise MalformedError(
            "it is a TorchScript program; save the generator's state_dict() instead"
        )
    if len(pickles) != 1 or not pickles[0].endswith("/data.pkl"):
        raise MalformedError("it is a zip archive, but not one of torch.save")
    root = pickles[0].removesuffix("data.pkl")
    if root.count("/") != 1 or not all(name.startswith(root) for name in members):
        raise MalformedError("its zip archive has entries outside its folder")
    if any(name.removeprefix(root).lower() != name.removeprefix(root) for name in members):
        raise MalformedError("its zip archive has an entry with an odd name")
    order = members.get(f"{root}byteorder")
    if order is not None and (order.file_size > 6 or read_member(file, order) != b"little"):
        raise MalformedError("it was written on an unknown kind of machine")
    if members[pickles[0]].file_size > MAX_PICKLE_BYTES:
        raise MalformedError("its pickle is larger than any checkpoint's")
    pickled = read_member(file, members[pickles[0]])
    check_protocol(pickled[1] if pickled[:1] == b"\x80" and len(pickled) > 1 else 0)
    storages: dict[str, StorageRecord] = {}
    cursor = Cursor(io.BytesIO(pickled))
    RestrictedUnpickler(cursor, TORCH_SYMBOLS, declared_storages(storages)).load()
    if cursor.left:
        raise MalformedError(f"{cursor.left:,} bytes follow the end of its pickle")
    _check_storages(storages, members, root)


def _check_storages(storages: dict[str, StorageRecord], members: _Members, root: str) -> None:
    for key, storage in storages.items():
        member = members.get(f"{root}data/{key}")
        expected = storage.elements * element_size(storage.dtype)
        if member is None or member.file_size != expected:
            found = "nothing" if member is None else f"{member.file_size:,} bytes"
            raise MalformedError(
                f"its storage {shown(key)} should have {expected:,} bytes, not {found}"
            )
