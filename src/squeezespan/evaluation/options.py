"""The settings of an evaluation."""

from dataclasses import dataclass
from typing import Annotated, Literal

from squeezespan.settings import Range, Seed, TestShare

__all__ = ["FeatureProtocol", "ProbeOptions", "Protocol"]

FeatureProtocol = Literal["knn", "logistic", "fewshot"]
Protocol = Literal["knn", "linear", "logistic", "fewshot"]

Count = Annotated[int, Range(1)]


@dataclass(frozen=True)
class ProbeOptions:
    """Settings of an evaluation; each protocol reads its own."""

    seed: Seed = 0
    """Draws the linear probe's weights, order and crops, splits of train, and the shots."""
    batch_size: Count | None = None
    """Images at a time; for the linear probe also the batch of a step (256, or 4096 for LARS)."""
    epochs: Count | None = None
    """linear: passes over train; 90 if left out."""
    copies: Count | None = None
    """linear: cache the features of this many augmented copies of train instead of augmenting
    anew in every epoch; faster, and not quite the paper's protocol."""
    test_share: TestShare | None = None
    """Share of every class to test on, where the images have no test split: always the same ones,
    by a hash of their names; `distill --images.test-share` keeps them out of training."""
    patches: Count | None = None
    """knn, logistic, fewshot: average the features of this many patches, each a quarter of the
    image, in place of the whole image's; for students that learnt from patches (EMP-SSL)."""
    k: Count = 200
    """knn: neighbours that vote."""
    temperature: Annotated[float, Range(0, above=True)] = 0.1
    """knn: of the votes' weights."""
    shots: Count = 10
    """fewshot: labels a class."""
    draws: Annotated[int, Range(2)] = 5
    """fewshot: independent draws of the labelled images."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the backbone; everything after it is float32."""
    num_workers: Annotated[int, Range(0)] = 0
    """Image-decoding workers, where images aren't kept in memory."""
