"""Checkpoints: tensors and primitives only, written atomically, the last two kept."""

import io
import sys
from pathlib import Path
from typing import Any

import torch

from squeezespan.errors import UserError
from squeezespan.files import atomic_write
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.torch_files.archive import read_archive
from squeezespan.untrusted.torch_files.tensors import TensorMaker

__all__ = ["load_newest_checkpoint", "save_checkpoint"]

_FORMAT = 2
_KEEP = 2
_PATTERN = "step-*.pt"
_KEPT = {"job": dict, "numbers": dict, "seconds": float, "metrics_bytes": int, "stamp": dict}
"""What the state after any step has."""


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write the state after `step` optimiser steps, then delete all but the last two.

    Args:
        folder: the run's `checkpoints`.
        step: optimiser steps done.
        state: nested dicts and lists of tensors and primitives: what is trained as `job`, the
            last `numbers` of the log, `seconds` of training, `metrics_bytes` of the log and a
            `stamp` of the run.

    Raises:
        StorageError: the disk is full; older checkpoints are as they were.
    """
    path = folder / f"step-{step:09d}.pt"
    # Through memory, so that a full disk is met in a plain write.
    buffer = io.BytesIO()
    torch.save({"format": _FORMAT, "step": step, "state": state}, buffer)
    atomic_write(path, lambda temporary: temporary.write_bytes(buffer.getbuffer()))
    for old in sorted(folder.glob(_PATTERN))[:-_KEEP]:
        old.unlink()
    return path


def load_newest_checkpoint(folder: Path) -> tuple[int, dict[str, Any]] | None:
    """Read the newest checkpoint that is whole.

    A damaged one is skipped and deleted, with a line to stderr; files that an interrupted write
    left behind are deleted.

    Args:
        folder: the run's `checkpoints`; it may be missing.

    Returns:
        optimiser steps done and the state, on the CPU; None where no checkpoint was written.

    Raises:
        UserError: there are checkpoints, but none can be read.
    """
    for part in folder.glob(f".{_PATTERN}.*.part"):
        part.unlink()
    paths = sorted(folder.glob(_PATTERN), reverse=True)
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read the checkpoint {path}: {error.strerror}") from error
        try:
            content = _read(data)
        except MalformedError as error:
            print(
                f"{path} is damaged ({error}); going on from the checkpoint before it",
                file=sys.stderr,
            )
            continue
        if content["format"] != _FORMAT:
            raise UserError(
                f"{path} was written by another version of Squeezespan; go on with that one, or "
                "start again with another --out"
            )
        for newer in paths[: paths.index(path)]:
            newer.unlink()
        return content["step"], content["state"]
    if paths:
        raise UserError(f"no checkpoint in {folder} can be read; start again with another --out")
    return None


def _read(data: bytes) -> dict[str, Any]:
    """Read a checkpoint as `untrusted` does: a folder to go on from may be a stranger's.

    Raises:
        MalformedError: it is damaged, or asks for something that no checkpoint of ours needs.
    """
    content = read_archive(io.BytesIO(data), memoryview(bytearray(data)))
    if not isinstance(content, dict) or "format" not in content:
        raise MalformedError("it is something else")
    if content["format"] == _FORMAT:
        step, state = content.get("step"), content.get("state")
        if type(step) is not int or step < 0 or not isinstance(state, dict):
            raise MalformedError("it has no step and state")
        for name, kind in _KEPT.items():
            if type(state.get(name)) is not kind:
                raise MalformedError(f"its state has no {name}")
        if not all(type(number) is float for number in state["numbers"].values()):
            raise MalformedError("its numbers are none")
        if state["metrics_bytes"] < 0:
            raise MalformedError("its log ends before it begins")
        TensorMaker().fill(state)
    return content
