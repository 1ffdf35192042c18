"""What a GAN is conditioned on: the images' labels, or clusters of them, and how often each is."""

from pathlib import Path
from typing import Any, NamedTuple

from squeezespan.data.images import ImageSet
from squeezespan.errors import UserError
from squeezespan.gan.clusters import Clusters, cluster_images, kept_clusters
from squeezespan.gan.config import GanTrainConfig
from squeezespan.seen import LABELS

__all__ = ["CLUSTERS_FILE", "Classes", "find_classes", "find_clusters"]

CLUSTERS_FILE = "clusters.safetensors"
"""In the run folder: which cluster each image is in."""


class Classes(NamedTuple):
    """The classes of a training, if it has any."""

    images: ImageSet
    """Their labels are the classes."""
    num_classes: int
    """0 for an unconditional GAN."""
    shares: tuple[float, ...] | None
    """How often each class is drawn; None draws all equally often."""
    facts: dict[str, Any]
    """What the provenance says of them; `saw` always, which may be empty."""


def find_clusters(config: GanTrainConfig, images: ImageSet, out: Path) -> Clusters | None:
    """Give the clusters that a run is conditioned on: those in its folder, or new ones.

    Args:
        config: the run's settings.
        images: those that it learns from.
        out: its folder, which may not be there yet.

    Returns:
        None for a run without clusters.

    Raises:
        UserError: the backbone or the file is not usable, or the file is of other images.
    """
    if config.clusters.backbone is None:
        return None
    kept = kept_clusters(out / CLUSTERS_FILE)
    if kept is None:
        return cluster_images(config.clusters, images, config.train.seed, images.device)
    if kept.images != images.fingerprint() or len(kept.assigned) != len(images):
        raise UserError(
            f"{out / CLUSTERS_FILE} has the clusters of other images than those of {config.data}; "
            "put them back, or choose another --out"
        )
    return kept


def find_classes(config: GanTrainConfig, images: ImageSet, clusters: Clusters | None) -> Classes:
    """Give what a run is conditioned on.

    Args:
        config: the run's settings.
        images: those that it learns from; with labels, if it is conditioned on them.
        clusters: of these images; None for a run without.
    """
    if clusters is not None:
        count = int(clusters.assigned.max()) + 1
        images = images.labelled(clusters.assigned, [f"cluster {i}" for i in range(count)])
        facts: dict[str, Any] = {"clusters": clusters.facts, "saw": clusters.saw}
    elif config.conditional:
        facts = {"saw": [LABELS]}
    else:
        return Classes(images, 0, None, {"saw": []})
    assert images.labels is not None
    count = len(images.class_names)
    if config.class_draw == "uniform":
        return Classes(images, count, None, facts)
    occurs = images.labels.bincount(minlength=count).double() / len(images)
    return Classes(images, count, tuple(occurs.tolist()), facts)
