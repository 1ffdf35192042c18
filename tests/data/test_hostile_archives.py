"""Archives that would write elsewhere, point elsewhere or fill the memory are refused."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from image_files import pack, pets, png

from squeezespan.data.sources.archives import list_archive
from squeezespan.data.specs import open_images
from squeezespan.errors import UserError


def _open(path: Path) -> None:
    open_images(f"folder:{path}", "train")


def _tar_with(path: Path, member: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        data = png(0)
        image = tarfile.TarInfo("train/cat/0.png")
        image.size = len(data)
        tar.addfile(image, io.BytesIO(data))
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    return path


@pytest.mark.parametrize("name", ["../evil.png", "train/../../evil.png", "/etc/evil.png"])
@pytest.mark.parametrize("archive", ["a.tar", "a.tar.gz", "a.zip"])
def test_paths_that_climb_out(tmp_path: Path, archive: str, name: str) -> None:
    path = pack(tmp_path / archive, pets() | {name: png(0)})
    with pytest.raises(UserError, match="climbs out"):
        _open(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["..\\evil.png", "C:\\evil.png"])
def test_paths_that_climb_out_on_windows(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="climbs out"):
        _open(pack(tmp_path / "a.tar", pets() | {name: png(0)}))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("train/cat/1.png")
    member.type = kind
    member.linkname = "/etc/passwd"
    with pytest.raises(UserError, match="link or a device"):
        _open(_tar_with(tmp_path / "a.tar", member))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_in_a_zip(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", pets())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(archive.namelist()[-1], png(5))
    with pytest.raises(UserError, match="twice"):
        _open(path)


def test_link_in_a_zip(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", pets())
    link = zipfile.ZipInfo("train/cat/9.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match="link or a device"):
        _open(path)


def test_encrypted_zip(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"train/cat/0.png": png(0)})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="encrypted"):
        _open(path)


def test_member_larger_than_any_image(tmp_path: Path) -> None:
    member = tarfile.TarInfo("train/cat/1.png")
    member.size = 2**30
    path = tmp_path / "a.tar"
    path.write_bytes(member.tobuf())
    with pytest.raises(UserError, match="1024 MiB"):
        _open(path)


def test_header_larger_than_any_real_one(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type = tarfile.XHDTYPE
    header.size = 2**32
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf())
    with pytest.raises(UserError, match="header"):
        _open(path)


def test_compressed_tar_larger_than_the_memory_allowed(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.xz", {"train/cat/0.png": bytes(10_000)})
    with pytest.raises(UserError, match=r"unpack it, or make it a plain \.tar"):
        list_archive(path, memory_limit=9_999)


def test_two_files_of_one_name(tmp_path: Path) -> None:
    member = tarfile.TarInfo("train/cat/0.png")
    with pytest.raises(UserError, match="two files of the same name"):
        _open(_tar_with(tmp_path / "a.tar", member))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.zip"])
def test_damaged_archives(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, pets(20, 20))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"damaged or not an archive"):
        _open(path)
    path.write_bytes(b"not an archive at all" * 100)
    with pytest.raises(UserError, match=r"damaged or not an archive"):
        _open(path)


def test_damaged_member_of_a_zip(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"train/cat/0.png": png(0)})
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 6] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.zip is damaged"):
        _open(path)
