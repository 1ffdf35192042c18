"""Images as a file holds them."""

import torch
from torch import Tensor

__all__ = ["unit_to_uint8"]


def unit_to_uint8(images: Tensor) -> Tensor:
    """Round floating-point images in [0, 1] to uint8 of the same shape."""
    return images.mul(255).round_().to(torch.uint8)
