"""What is no checkpoint at all."""

import gzip
import io
import tarfile

from checkpoint_files import networks
from checkpoint_files.persistence import dump, snapshot
from checkpoint_files.pickling import pickled
from untrusted.content import Canary, Maker


def _snapshot() -> bytes:
    return dump(snapshot(pickled(networks.make_network("stylegan2"))))


def _tar(_: Canary) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../x"))
    return buffer.getvalue()


FOREIGN: dict[str, Maker] = {
    "nothing at all": lambda _: b"",
    "one byte": lambda _: b"\x80",
    "a packed snapshot": lambda _: gzip.compress(_snapshot()),
    "a snapshot with more behind": lambda _: _snapshot() + b"cos\nsystem\n",
    "a snapshot twice": lambda _: _snapshot() * 2,
    "half a snapshot": lambda _: _snapshot()[: len(_snapshot()) // 2],
    "a tar archive alone": _tar,
    "a script": lambda canary: b"#!/bin/sh\n" + canary.command.encode(),
    "a Python module": lambda canary: canary.source.encode(),
    "a web page": lambda _: b"<!doctype html><title>404</title>",
    "a pointer of Git LFS": lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "an image": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "an ONNX graph": lambda _: b"\x08\x07\x12\x07pytorch",
    "noise": lambda _: bytes((i * 7919) % 251 for i in range(10_000)),
    "text in another encoding": lambda _: "checkpoint".encode("utf-16"),
}
