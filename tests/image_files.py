"""Small image files, trees and archives for the tests of data sources."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, width: int = 8, height: int = 8) -> Image.Image:
    """Give a random RGB picture; equal seeds give equal pictures."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Give a picture as a file's content."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(seed: int, width: int = 8, height: int = 8) -> bytes:
    """Give `picture` as a PNG file's content."""
    return encoded(picture(seed, width, height))


def write_tree(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder and give the folder."""
    for name, content in files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


def pack(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into an archive of the kind that its name says, and give its path."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    packing = path.suffix.lstrip(".")
    modes = {"tar": "w", "gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=modes[packing]) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    path.write_bytes(stream.getvalue())
    return path


def pets(cats: int = 2, dogs: int = 3, split: str = "train", seed: int = 0) -> dict[str, bytes]:
    """Give the files of one split with two classes."""
    prefix = f"{split}/" if split else ""
    files = {f"{prefix}cat/{i}.png": png(seed + i) for i in range(cats)}
    return files | {f"{prefix}dog/{i}.png": png(seed + 100 + i) for i in range(dogs)}
