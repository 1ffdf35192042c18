"""Clusters of images in a student's features, as classes without labels (Liu et al. 2020)."""

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.data.notices import say
from squeezespan.errors import UserError
from squeezespan.evaluation.features import extract_features
from squeezespan.files import atomic_write, expanded
from squeezespan.gan.config import GanClustersConfig
from squeezespan.models.checksum import weights_sha256
from squeezespan.models.student_file import Backbone, load_backbone
from squeezespan.randomness import derive_seed
from squeezespan.seen import inherited
from squeezespan.untrusted.safetensors import read_safetensors

__all__ = [
    "Clusters",
    "cluster_images",
    "k_means",
    "keep_clusters",
    "kept_clusters",
    "nominal_clusters",
]

_MOST_FITTED = 100_000
"""Images that the centres are found from; all get the nearest one."""
_FEWEST = 2


class Clusters(NamedTuple):
    """Which cluster each image is in, and how that came about."""

    assigned: Tensor
    """int64 [N], from 0 on; every cluster has images."""
    facts: dict[str, Any]
    """For the provenance: the backbone, its hash, numbers of clusters and their sizes."""
    saw: list[str]
    """What the backbone has seen besides images."""
    images: str
    """Fingerprint of the images."""

    @property
    def sha256(self) -> str:
        """What tells an assignment from another."""
        return weights_sha256({"assigned": self.assigned})


def cluster_images(
    settings: GanClustersConfig, images: ImageSet, seed: int, device: torch.device
) -> Clusters:
    """Cluster images by the directions of their features, and say what came out.

    Args:
        settings: they name a backbone.
        images: those that a GAN is trained on.
        seed: of the first centres.
        device: where the backbone runs.

    Raises:
        UserError: the backbone is not usable, or there are too few images.
    """
    backbone = _open_backbone(settings, images, device)
    features = extract_features(backbone, images, device=device, precision="fp32")
    assigned = k_means(features, settings.count, settings.smallest, seed)
    sizes = assigned.bincount()
    if len(sizes) < _FEWEST:
        raise UserError(
            f"only one cluster of {settings.backbone}'s features has --clusters.smallest "
            f"{settings.smallest} images or more; lower it, or lower --clusters.count"
        )
    facts = {
        "backbone": settings.backbone,
        "backbone_sha256": weights_sha256(backbone.network.state_dict()),
        "asked": settings.count,
        "count": len(sizes),
        "smallest": int(sizes.min()),
        "largest": int(sizes.max()),
    }
    say(_outcome(settings, facts))
    provenance = backbone.header.get("provenance")
    saw = inherited(provenance, f"student {settings.backbone}")
    return Clusters(assigned, facts, list(saw), images.fingerprint())


def nominal_clusters(settings: GanClustersConfig, images: ImageSet) -> Clusters:
    """Stand in for clusters where only their number counts, after the same checks.

    Args:
        settings: they name a backbone.
        images: those that a GAN would be trained on.

    Raises:
        UserError: the backbone is not usable, or there are too few images.
    """
    _open_backbone(settings, images, torch.device("cpu"))
    return Clusters(torch.arange(len(images)) % settings.count, {}, [], "")


def k_means(features: Tensor, count: int, smallest: int, seed: int) -> Tensor:
    """Assign every sample to one of at most `count` clusters of at least `smallest` samples.

    Equal arguments give equal clusters: scikit-learn's k-means on one thread. A cluster with too
    few samples is dissolved, the smallest first, and its samples go to the nearest centre left.

    Args:
        features: float [N, D]; their directions count.
        count: of the clusters that are looked for, at most N.
        smallest: samples of a cluster.
        seed: of the first centres, and of what they are found from where N is large.

    Returns:
        int64 [N], numbered from 0 without a gap.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    directions = F.normalize(features.float())
    drawn = derive_seed(seed, "clusters")
    random = torch.Generator().manual_seed(drawn)
    fitted = directions[torch.randperm(len(directions), generator=random)[:_MOST_FITTED]]
    # Sums of several threads come in any order.
    with threadpool_limits(1), warnings.catch_warnings():
        # It warns of equal samples, whose clusters are empty and dissolved below.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(count, n_init=1, random_state=drawn % 2**32).fit(fitted.numpy())
        centers = torch.from_numpy(found.cluster_centers_).float()
        assigned = torch.from_numpy(found.predict(directions.numpy())).long()
    is_left = torch.ones(count, dtype=torch.bool)
    while True:
        sizes = assigned.bincount(minlength=count).float().masked_fill(~is_left, torch.inf)
        least = int(sizes.argmin())
        if sizes[least] >= smallest or int(is_left.sum()) == 1:
            return (is_left.cumsum(0) - 1)[assigned]
        is_left[least] = False
        homeless = assigned == least
        distances = torch.cdist(directions[homeless], centers[is_left])
        assigned[homeless] = is_left.nonzero()[:, 0][distances.argmin(1)]


def keep_clusters(path: Path, clusters: Clusters) -> None:
    """Write clusters, atomically.

    Raises:
        StorageError: the disk is full or read-only.
    """
    story = {"facts": clusters.facts, "saw": clusters.saw, "images": clusters.images}
    tensors, metadata = {"assigned": clusters.assigned}, {"squeezespan": json.dumps(story)}
    atomic_write(path, lambda temporary: save_file(tensors, temporary, metadata))


def kept_clusters(path: Path) -> Clusters | None:
    """Read clusters that `keep_clusters` wrote; None where there is no file.

    Raises:
        UserError: the file is damaged.
    """
    if not path.exists():
        return None
    tensors, metadata = read_safetensors(path)
    try:
        story = json.loads(metadata["squeezespan"])
        return Clusters(
            tensors["assigned"], dict(story["facts"]), list(story["saw"]), str(story["images"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged; delete it, and the clusters are made anew") from error


def _open_backbone(settings: GanClustersConfig, images: ImageSet, device: torch.device) -> Backbone:
    assert settings.backbone is not None
    if len(images) < settings.count:
        raise UserError(
            f"--clusters.count {settings.count} is more than the {len(images)} images; give fewer"
        )
    return load_backbone(expanded(settings.backbone), device)


def _outcome(settings: GanClustersConfig, facts: dict[str, Any]) -> str:
    line = (
        f"{facts['count']} clusters of {facts['smallest']} to {facts['largest']} images, by the "
        f"features of {settings.backbone}"
    )
    if lost := settings.count - facts["count"]:
        line += (
            f"; {lost} of {settings.count} had less than {settings.smallest} images, which joined "
            "their nearest"
        )
    return line
