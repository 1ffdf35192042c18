"""Make `builtin:cifar10-mini`: a balanced draw from the CIFAR-10 (JPEG) train and test archives.

    python tools/make_cifar10_mini.py DIR

DIR holds `cifar10-train.tar.xz` and `cifar10-test.tar.xz`. The files are copied as they are, not
encoded again. The same archives, seed and liblzma give the same bytes.
"""

import argparse
import hashlib
import io
import lzma
import random
import tarfile
from collections import defaultdict
from pathlib import Path

from squeezespan.files import atomic_write, write_json

ASSETS = Path(__file__).resolve().parents[1] / "src" / "squeezespan" / "assets"
NAME = "cifar10-mini"
PER_CLASS = {"train": 1000, "test": 200}
SEED = 0


def main() -> None:
    """Read the two archives named on the command line and write the asset and its note."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the two archives are")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder to write to")
    arguments = parser.parse_args()
    archives = {split: arguments.folder / f"cifar10-{split}.tar.xz" for split in PER_CLASS}
    chosen: dict[str, bytes] = {}
    for split, archive in archives.items():
        chosen |= draw(archive, split, PER_CLASS[split], SEED)
    packed = pack(chosen)
    target = arguments.out / f"{NAME}.tar.xz"
    atomic_write(target, lambda path: path.write_bytes(packed))
    note = {
        "name": f"builtin:{NAME}",
        "description": "A class-balanced draw from CIFAR-10 (JPEG), the CIFAR-10 images of "
        "Krizhevsky (2009) encoded as 32x32 JPEG of quality 75 with 4:2:0 chroma; JPEG artefacts "
        "cost some accuracy against the original",
        "images": {split: 10 * count for split, count in PER_CLASS.items()},
        "images_per_class": PER_CLASS,
        "seed": SEED,
        "drawn_from": {archive.name: sha256(archive.read_bytes()) for archive in archives.values()},
        "made_by": "tools/make_cifar10_mini.py",
        "file": target.name,
        "bytes": len(packed),
        "sha256": sha256(packed),
    }
    write_json(arguments.out / f"{NAME}.json", note)
    print(f"{target}: {len(chosen)} images, {len(packed) / 2**20:.2f} MiB")


def draw(archive: Path, split: str, per_class: int, seed: int) -> dict[str, bytes]:
    """Draw files, equally many of each class.

    Args:
        archive: holds `split/class/file`.
        split: folder to draw from.
        per_class: how many of each class.
        seed: of the draw, which sees the names in ascending order.

    Returns:
        Name to content.
    """
    classes: dict[str, dict[str, bytes]] = defaultdict(dict)
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isreg() else None
            if stream is not None and member.name.startswith(f"{split}/"):
                classes[member.name.split("/")[1]][member.name] = stream.read()
    drawn: dict[str, bytes] = {}
    for name in sorted(classes):
        files = classes[name]
        picked = random.Random(f"{seed}/{split}/{name}").sample(sorted(files), per_class)
        drawn |= {file: files[file] for file in sorted(picked)}
    return drawn


def pack(files: dict[str, bytes]) -> bytes:
    """Pack files into a tar.xz that depends on their names and contents alone."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return lzma.compress(stream.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def sha256(content: bytes) -> str:
    """Give the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
