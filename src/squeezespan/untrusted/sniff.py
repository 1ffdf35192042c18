"""Telling what a file is by its first bytes."""

from pathlib import Path
from typing import Literal

from squeezespan.errors import UserError

__all__ = ["Container", "container_of"]

Container = Literal["safetensors", "zip", "pickle"]

_FOREIGN = {
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"\x89HDF": "an HDF5 file (TensorFlow or Keras), which is not supported",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"<": "a web page; the download went wrong",
    b"version https://git-lfs": "a Git LFS pointer; fetch the file itself with `git lfs pull`",
    b"\x08": "an ONNX or TensorFlow graph, which is not supported",
}
_PICKLE_BEGINS = b"(}])lcdIL"


def container_of(path: Path, data: memoryview) -> Container:
    """Tell how a checkpoint is packed.

    Args:
        path: of the file, for messages.
        data: its bytes, at least one.

    Raises:
        UserError: it is nothing that holds a network.
    """
    head = bytes(data[:512])
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    # First, as the length of its header may begin with the byte that pickles begin with; that of
    # a pickle would be larger than any file.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= len(data):
        return "safetensors"
    if head[:1] == b"\x80":
        return "pickle"
    if head[257:262] == b"ustar":
        raise UserError(f"{path} is a tar archive; unpack it, or save it again with a newer torch")
    for begin, what in _FOREIGN.items():
        if head.lstrip().startswith(begin):
            raise UserError(f"{path} is not a checkpoint but {what}")
    if head[0] in _PICKLE_BEGINS:
        return "pickle"
    raise UserError(
        f"{path} is not a checkpoint: it is neither a pickle, nor a file of torch.save, nor "
        f"safetensors (it begins with {head[:4].hex(' ')})"
    )
