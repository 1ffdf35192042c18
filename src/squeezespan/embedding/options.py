"""The settings of an embedding."""

from dataclasses import dataclass
from typing import Annotated, Literal

from squeezespan.settings import Range, TestShare

__all__ = ["EmbedOptions"]


@dataclass(frozen=True)
class EmbedOptions:
    """Which images, and how they are computed."""

    split: Literal["train", "test", "unlabeled"] = "train"
    """Which images of the data set; one without splits is `train`."""
    test_share: TestShare | None = None
    """Share of every class that is the test split, where the images have none: those of `probe
    --test-share`."""
    skip_broken: bool = False
    """Leave images out that can't be decoded, and say so, instead of stopping at the first."""
    batch_size: Annotated[int, Range(1)] = 256
    """Images at a time."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the backbone; the features are stored as float32."""
    num_workers: Annotated[int, Range(0)] = 2
    """Image-decoding threads."""
