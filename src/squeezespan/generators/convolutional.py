"""What the families without a mapping network share: `w` is z, and autocast sets the precision."""

from contextlib import AbstractContextManager

import torch

from squeezespan.generators.base import Generator
from squeezespan.hardware import autocast

__all__ = ["ConvolutionalGenerator"]


class ConvolutionalGenerator(Generator):
    """A generator that maps z straight to an image by convolutions and normalizations."""

    def __init__(self) -> None:
        super().__init__()
        self.compute_dtype = torch.float32

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Convolve in `dtype`; parameters, `w` and normalization statistics stay float32."""
        self.compute_dtype = dtype

    def precision(self, device: torch.device) -> AbstractContextManager[object]:
        """Autocast to the compute dtype, or shield float32 from a caller's autocast."""
        return autocast(device, self.compute_dtype)
