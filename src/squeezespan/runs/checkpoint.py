"""Checkpoints: tensors and primitives only, written atomically, the last two kept."""

import io
import sys
from pathlib import Path
from typing import Any

import torch

from squeezespan.errors import UserError
from squeezespan.files import atomic_write

__all__ = ["load_newest_checkpoint", "save_checkpoint"]

_FORMAT = 2
_KEEP = 2
_PATTERN = "step-*.pt"


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write the state after `step` optimiser steps, then delete all but the last two.

    Args:
        folder: the run's `checkpoints`.
        step: optimiser steps done.
        state: nested dicts and lists of tensors and primitives.

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
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            version, step, state = content["format"], content["step"], content["state"]
        # A cut or overwritten file fails in many ways inside torch, zipfile and pickle.
        except Exception:
            print(f"{path} is damaged; going on from the checkpoint before it", file=sys.stderr)
            continue
        if version != _FORMAT:
            raise UserError(
                f"{path} was written by another version of Squeezespan; go on with that one, or "
                "start again with another --out"
            )
        for newer in paths[: paths.index(path)]:
            newer.unlink()
        return step, state
    if paths:
        raise UserError(f"no checkpoint in {folder} can be read; start again with another --out")
    return None
