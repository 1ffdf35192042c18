"""Listing zip archives without unpacking them and without trusting them."""

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from squeezespan.data.sources.files import FileList
from squeezespan.data.sources.members import (
    DAMAGE,
    check_size,
    not_a_file,
    safe_name,
    unreadable,
)
from squeezespan.errors import UserError

__all__ = ["list_zip"]

_ENCRYPTED = 1
_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)


def list_zip(path: Path) -> FileList:
    """List the files of a zip archive, readable by index from several threads.

    Raises:
        UserError: not a readable archive; a member whose path climbs out, that is a link, a
            device, encrypted, too large or there twice.
    """
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE as error:
        raise unreadable(path, error) from error
    members: list[zipfile.ZipInfo] = []
    names: set[str] = set()
    files = FileList(str(path), [], set(), _Reader(path, archive, members))
    for member in archive.infolist():
        name = safe_name(member.filename, path)
        # Systems without file modes leave them out.
        if stat.S_IFMT(member.external_attr >> 16) not in _KINDS:
            raise not_a_file(name, path)
        if member.flag_bits & _ENCRYPTED:
            raise UserError(f"{path} is encrypted; unpack it with its password first")
        if member.is_dir():
            files.folders.add(name)
            continue
        check_size(member.file_size, name, path)
        if name in names:
            raise UserError(f"{path} holds {name} twice; pack it again")
        names.add(name)
        files.names.append(name)
        members.append(member)
    return files


@dataclass(frozen=True)
class _Reader:
    path: Path
    archive: zipfile.ZipFile
    members: list[zipfile.ZipInfo]

    def __call__(self, index: int) -> bytes:
        try:
            return self.archive.read(self.members[index])
        except DAMAGE as error:
            raise unreadable(self.path, error) from error
