"""Mean, covariance and a sample of features of many images, and their cache on the disk."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.files import atomic_write

__all__ = ["FeatureStatistics", "cache_folder", "load_statistics", "save_statistics", "summarize"]

KEPT_FEATURES = 10_000
"""Feature vectors that are kept for kernel distance, precision and recall."""


@dataclass(frozen=True)
class FeatureStatistics:
    """What the distances need to know of a set of images."""

    mean: Tensor
    """float64 [D]."""
    covariance: Tensor
    """float64 [D, D], with 1/(N-1)."""
    features: Tensor
    """float32 [min(N, KEPT_FEATURES), D], those of the first images."""
    count: int
    """N, the number of images."""


def summarize(batches: Iterable[Tensor]) -> FeatureStatistics:
    """Collect statistics without holding the features of all images.

    Args:
        batches: features float32 [B, D] on any device, in random order of the images.

    Raises:
        UserError: fewer than two images.
    """
    count = 0
    kept: list[Tensor] = []
    total = outer = torch.zeros(())
    for batch in batches:
        # MPS has no float64.
        wide = (batch.cpu() if batch.device.type == "mps" else batch).double()
        if not count:
            # Sums are taken around the first batch's mean: no digits are lost to a large offset.
            origin = wide.mean(0)
            total = torch.zeros_like(origin)
            outer = torch.zeros(len(origin), len(origin), dtype=wide.dtype, device=wide.device)
        wide = wide - origin
        total += wide.sum(0)
        outer.addmm_(wide.T, wide)
        if count < KEPT_FEATURES:
            kept.append(batch[: KEPT_FEATURES - count].float().cpu())
        count += len(batch)
    if count < 2:
        raise UserError("a score needs at least 2 images on each side")
    shift = total / count
    covariance = (outer - count * torch.outer(shift, shift)) / (count - 1)
    return FeatureStatistics((origin + shift).cpu(), covariance.cpu(), torch.cat(kept), count)


def cache_folder() -> Path:
    """`$SQUEEZESPAN_CACHE`, else `squeezespan` in the user's cache folder (XDG)."""
    own = os.environ.get("SQUEEZESPAN_CACHE")
    if own:
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "squeezespan"


def save_statistics(key: str, statistics: FeatureStatistics) -> Path:
    """Write statistics to the cache, atomically.

    Args:
        key: everything that the statistics depend on, as text.
        statistics: what to keep.
    """
    path = _cache_file(key)
    tensors = {
        "mean": statistics.mean,
        "covariance": statistics.covariance,
        "features": statistics.features,
    }
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {"key": key, "count": str(statistics.count)}
    atomic_write(path, lambda temporary: save_file(tensors, temporary, metadata))
    return path


def load_statistics(key: str) -> FeatureStatistics | None:
    """Read statistics from the cache; None where they are missing or damaged."""
    path = _cache_file(key)
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("key") != key:
                return None
            tensors = {name: file.get_tensor(name) for name in ("mean", "covariance", "features")}
    except (OSError, SafetensorError):
        return None
    return FeatureStatistics(**tensors, count=int(metadata["count"]))


def _cache_file(key: str) -> Path:
    name = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    return cache_folder() / "scores" / f"{name}.safetensors"
