"""What graphs of a student have in common: normalization inside, and any number of images."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from squeezespan.models.student_file import Backbone

__all__ = ["GRAPH_INPUT", "any_batch", "example", "quiet"]

GRAPH_INPUT = (
    "RGB, float32 in **[0, 1]**, not normalized: the graph does that itself; any number of images"
)


def example(backbone: Backbone) -> Tensor:
    """Give images to trace with: two, because a batch of one would count as a size of its own."""
    return torch.zeros(2, 3, backbone.resolution, backbone.resolution)


def any_batch() -> dict[str, Any]:
    """Give which sizes of the input are left open."""
    return {"images": {0: torch.export.Dim("batch")}}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep an exporter's remarks on its own future away from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
