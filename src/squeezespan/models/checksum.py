"""What tells networks of one architecture apart."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["weights_sha256"]


def weights_sha256(state: Mapping[str, Tensor]) -> str:
    """Give a hash of weights with their names and shapes, in hexadecimal.

    Args:
        state: as `state_dict` gives it, on any device.
    """
    digest = hashlib.sha256()
    for name, tensor in state.items():
        digest.update(f"{name} {list(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
