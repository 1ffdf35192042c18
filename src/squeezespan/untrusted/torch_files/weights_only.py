"""Letting torch read a file that has been checked, with `weights_only=True`."""

import warnings
from collections import OrderedDict
from typing import Any

import torch

from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.symbols import IGNORED_BY_TORCH
from squeezespan.untrusted.wording import shown

__all__ = ["check_protocol", "load_weights_only"]

_PROTOCOLS = (2, 3)
"""Pickle protocols that torch reads with `weights_only=True`; it writes 2 unless told otherwise."""


class _Ignored(dict[Any, Any]):
    """Takes the place of what a training script stored beside the weights."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, _: Any) -> None:
        """Keep nothing."""


def _ordinary_dict(*_: Any) -> dict[Any, Any]:
    return {}


def _stub(name: str) -> Any:
    """Take the place of a global; torch fills dicts of its own kinds only."""
    if name.endswith(".defaultdict"):
        return _ordinary_dict
    return OrderedDict if name.endswith(("EasyDict", "AttributeDict")) else _Ignored


def check_protocol(protocol: int) -> None:
    """Check that torch can read a pickle of this protocol; 0 stands for 1, too.

    Raises:
        MalformedError: it can't.
    """
    if protocol not in _PROTOCOLS:
        kind = f"protocol {protocol}" if protocol else "a protocol before 2"
        raise MalformedError(
            f"it was saved with pickle {kind}, which torch reads only by running the file; if you "
            "trust it, load it with torch and save its state_dict() without pickle_protocol"
        )


def load_weights_only(source: Any, *, is_mapped: bool = False) -> Any:
    """Let torch read what has been checked, in its own restricted way and to the CPU.

    Args:
        source: a path, or what can be read like a file.
        is_mapped: let the tensors of a file at a path stay there until they are used.

    Raises:
        MalformedError: torch refuses it.
    """
    stubs: list[Any] = [(_stub(name), name) for name in IGNORED_BY_TORCH]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(stubs):
            warnings.simplefilter("ignore")
            return torch.load(source, map_location="cpu", weights_only=True, mmap=is_mapped)
    # torch's reader fails in as many ways as the pickle machine and the archive reader under it.
    except Exception as error:
        _, _, cause = str(error).rpartition("WeightsUnpickler error:")
        raise MalformedError(f"torch cannot read it: {shown(cause.strip(), 120)}") from error
