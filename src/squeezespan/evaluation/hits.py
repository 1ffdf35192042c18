"""Which test images an evaluation got right, kept so that two evaluations can be paired later."""

import base64

import numpy as np
import torch
from torch import Tensor

__all__ = ["pack_hits", "unpack_hits"]


def pack_hits(correct: Tensor) -> str:
    """Write hits as text, eight images a byte, in base64.

    Args:
        correct: whether each image was classified correctly, bool [M], in the order of the set.
    """
    return base64.b64encode(np.packbits(correct.cpu().numpy()).tobytes()).decode("ascii")


def unpack_hits(text: str, count: int) -> Tensor:
    """Read what `pack_hits` wrote.

    Args:
        text: from `pack_hits`.
        count: M, the number of images.

    Returns:
        bool [M].

    Raises:
        ValueError: the text isn't of that many images.
    """
    packed = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    if len(packed) != -(-count // 8):
        raise ValueError(f"hits of {count} images take {-(-count // 8)} bytes, not {len(packed)}")
    return torch.from_numpy(np.unpackbits(packed, count=count).astype(bool))
