"""The settings of analyses of networks."""

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from squeezespan.opening import OpeningConfig
from squeezespan.settings import Range, Seed, to_dict

__all__ = [
    "LEAST_IMAGES",
    "CkaOptions",
    "LayerKind",
    "MapMethod",
    "MapOptions",
    "NetworkOptions",
    "kept_settings",
]

LayerKind = Literal["convolutions", "activations", "blocks"]
"""Every convolution's output, every activation's, or the ends of blocks and stages. Layers of
StyleGANs are convolution, noise, bias and activation in one and count as both of the first two."""

MapMethod = Literal["umap", "pca", "tsne"]

LEAST_IMAGES = 4
"""Of a batch: the unbiased estimator's denominator is n (n - 3)."""


@dataclass(frozen=True)
class NetworkOptions:
    """Which networks, and which images they see."""

    gan: str | None = None
    """A generator's checkpoint, or builtin:stylegan2-cifar10."""
    discriminator: str | None = None
    """A StyleGAN2 discriminator's checkpoint, or the folder of its training."""
    student: tuple[str, ...] = ()
    """Run folders, or student.safetensors files."""
    truncation: Annotated[float, Range(0, 2)] = 1.0
    """Of generated images: pulls w towards its average; 1 leaves it alone."""
    noise: Literal["const", "random", "none"] = "random"
    """Per-pixel noise of families that have it; as in the training of students if left out."""
    seed: Seed = 0
    """Draws latents, noise, real images and the bootstrap."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    num_workers: Annotated[int, Range(0)] = 0
    """Image-decoding workers, where images aren't kept in memory."""
    opening: OpeningConfig = field(default_factory=OpeningConfig)


@dataclass(frozen=True)
class CkaOptions(NetworkOptions):
    """Settings of a comparison of layers."""

    data: str | None = None
    """Data spec of real images to see, where no generator is given; its own images otherwise."""
    split: Literal["train", "test"] = "test"
    """Of the real images."""
    layers: LayerKind = "convolutions"
    """Every convolution, every activation, or the ends of blocks and stages. Layers of StyleGANs
    are convolution, noise, bias and activation in one."""
    num_images: Annotated[int, Range(2 * LEAST_IMAGES)] = 2048
    """Those after the last full batch are left out."""
    batch_size: Annotated[int, Range(LEAST_IMAGES)] = 64
    """Images between which similarities are taken; it does not bias the result."""


@dataclass(frozen=True)
class MapOptions(NetworkOptions):
    """Settings of maps."""

    data: str | None = None
    """Data spec with labels: its test split is mapped, and generated images are classed by a probe
    that its train split teaches. Left out only with a conditional generator."""
    method: MapMethod = "umap"
    """`umap` needs the extra `maps`; `tsne` keeps neighbours, too; `pca` is a projection."""
    num_images: Annotated[int, Range(20)] = 2000
    """Of each kind, generated and real; fewer where the test split has fewer."""
    probe_images: Annotated[int, Range(20)] = 5000
    """Train images at most that the probe learns from."""
    k: Annotated[int, Range(1)] = 20
    """Neighbours that vote for the figure beside a map."""


def kept_settings(options: NetworkOptions, kind: type[NetworkOptions]) -> dict[str, Any]:
    """Give the settings of a result, ready for JSON: without those that a command adds.

    Args:
        options: of `kind` or a class made from it.
        kind: the class whose fields are meant.
    """
    names = {setting.name for setting in dataclasses.fields(kind)}
    return {name: value for name, value in to_dict(options).items() if name in names}
