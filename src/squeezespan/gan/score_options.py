"""The settings of a GAN's score."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from squeezespan.opening import OpeningConfig
from squeezespan.settings import Range, Seed

__all__ = ["ScoreOptions"]

_Count = Annotated[int, Range(4)]


@dataclass(frozen=True)
class ScoreOptions:
    """Settings of a score."""

    num_images: _Count = 50_000
    """Generated images; compare scores of equal numbers only."""
    num_real: _Count | None = None
    """Real images, chosen at random; all if left out."""
    metric: Literal["efficientnet-lite0", "fid"] = "efficientnet-lite0"
    """The features that images are compared by; `fid` needs the Inception weights."""
    inception_weights: str | None = None
    """File of torch-fidelity's Inception weights for `--metric fid`; torch hub's cache if left
    out."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of EfficientNet-Lite0; bf16 is faster on some CPUs and gives slightly other distances."""
    truncation: Annotated[float, Range(0, 1)] = 1.0
    """Pulls w towards its average; 1 leaves it alone."""
    noise: Literal["const", "random", "none"] = "random"
    """Per-pixel noise of families that have it."""
    seed: Seed = 0
    """Draws latents, noise and the kernel distance's subsets."""
    batch_size: Annotated[int, Range(1)] = 64
    """Images at a time."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    num_workers: Annotated[int, Range(0)] = 0
    """Image-decoding workers, where images aren't kept in memory."""
    opening: OpeningConfig = field(default_factory=OpeningConfig)
