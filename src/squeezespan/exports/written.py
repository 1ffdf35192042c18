"""What a format leaves behind, and whether it is still the same function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.models.student_file import Backbone

__all__ = ["TOLERANCE", "Difference", "Written", "measure_difference"]

TOLERANCE = 1e-5
"""Of the features in fp32, relative to the largest where that is above 1."""

_BATCHES = (1, 3)
"""Two sizes, which a graph that fixes its batch would not take."""


@dataclass(frozen=True)
class Written:
    """What a format left in the folder."""

    files: dict[str, str]
    """Name of each file, and what it is."""
    input: str
    """What the exported network takes, in words."""
    code: str
    """Python that goes from `images` to `features` in that folder."""
    reopen: Callable[[Tensor], Tensor]
    """The network as its own library opens it: images float [B, 3, R, R] in [0, 1] to features
    [B, D]."""
    arrays: Literal["torch", "numpy"] = "torch"
    """Whose arrays `images` and `features` are in the code."""


@dataclass(frozen=True)
class Difference:
    """How far an exported network is from the student."""

    largest: float
    """Between any two features."""
    feature: float
    """The largest feature."""
    images: int


def measure_difference(backbone: Backbone, written: Written, what: str) -> Difference:
    """Compare an exported network with the student, feature by feature, on random images.

    Args:
        backbone: the student, on the CPU.
        written: the network, reopened.
        what: the format, for messages.

    Raises:
        UserError: they differ by more than `TOLERANCE`, or give features that are not finite.
    """
    side = backbone.resolution
    largest = feature = 0.0
    for count in _BATCHES:
        random = torch.Generator().manual_seed(count)
        images = torch.rand(count, 3, side, side, generator=random)
        with torch.no_grad():
            expected, found = backbone(images), written.reopen(images)
        if not expected.isfinite().all():
            raise UserError("the student gives features that are not numbers: its training failed")
        if found.shape != expected.shape:
            shapes = f"{list(found.shape)}, not {list(expected.shape)}"
            raise UserError(f"as {what}, this student gives features of shape {shapes}")
        if not found.isfinite().all():
            raise UserError(f"as {what}, this student gives features that are not numbers")
        largest = max(largest, float((found - expected).abs().max()))
        feature = max(feature, float(expected.abs().max()))
    if largest > TOLERANCE * max(1.0, feature):
        raise UserError(
            f"as {what}, this student's features differ by {largest:.1e}, of {feature:.3g} at "
            "most; choose another --format"
        )
    return Difference(largest, feature, sum(_BATCHES))
