"""`embed`: the features of every image of a data set as a file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from squeezespan.data.decoder import Decoder, broken_images
from squeezespan.data.encoded import BrokenImageError, TooLargeError
from squeezespan.data.notices import say
from squeezespan.data.sources.base import Source
from squeezespan.data.specs import FoundImages, find_images
from squeezespan.embedding.formats import check_format, write_table
from squeezespan.embedding.options import EmbedOptions
from squeezespan.embedding.parts import Parts
from squeezespan.embedding.table import FeatureTable
from squeezespan.environment import project_commit
from squeezespan.errors import UserError
from squeezespan.evaluation.features import compute_features
from squeezespan.files import check_new_file, file_sha256
from squeezespan.hardware import resolve_device, resolve_precision
from squeezespan.models.student_file import Backbone, load_backbone, weights_path
from squeezespan.progress import Progress
from squeezespan.settings import check_ranges

__all__ = ["embed"]

_PART = 1024
"""Images whose features are kept at once: no more is done again after a kill."""
_NAMED = 5


def embed(
    run_or_weights: str | Path,
    data: str,
    out: str | Path,
    *,
    split: Literal["train", "test", "unlabeled"] = "train",
    test_share: float | None = None,
    skip_broken: bool = False,
    batch_size: int = 256,
    device: str = "auto",
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto",
    num_workers: int = 2,
) -> Path:
    """Write names, labels and features of every image of a split to a file.

    Images are decoded and computed as they come, so that memory doesn't grow with their number.
    What is done stands in `OUT.partial` until the file is whole; the same call after a kill goes
    on from there.

    Args:
        run_or_weights: whatever `load_backbone` takes, such as a run folder.
        data: spec of the images; they need no labels.
        out: a new file in .npz, .parquet or .csv. `features` is float32 [N, D]; `about`, which csv
            lacks, tells where it comes from as JSON.
        split: which images of the data set; one without splits is `train`.
        test_share: share of every class that is the test split, where the images have none, as for
            `probe`; None takes splits as they are.
        skip_broken: leave images out that can't be decoded, and say so, instead of stopping at
            the first. Images of too many pixels to be safe are always left out.
        batch_size: images at a time.
        device: `auto`, or as torch names it.
        precision: of the backbone; the features are stored as float32.
        num_workers: image-decoding threads.

    Returns:
        The file's path.

    Raises:
        UserError: the weights, the images or the file are not usable.
        StorageError: the disk is full.
    """
    options = EmbedOptions(
        split, test_share, skip_broken, batch_size, device, precision, num_workers
    )
    check_ranges(options, where="embed")
    if split == "unlabeled" and test_share is not None:
        raise UserError("--test-share divides labelled images; --split unlabeled has no part in it")
    out = Path(out)
    check_format(out)
    check_new_file(out, "--out")
    place = resolve_device(device)
    backbone = load_backbone(run_or_weights, place)
    backbone.network.to(memory_format=torch.channels_last)
    found = find_images(data, split, test_share=test_share)
    parts = Parts(out)
    job = _job(run_or_weights, found, options, backbone, place)
    if backbone.unprepared:
        train = found if split == "train" else find_images(data, "train", test_share=test_share)
        size = backbone.resolution
        # Decoded on demand: only a sample is looked at.
        backbone.prepare(train.load(size, device=place, num_workers=num_workers, memory_limit=0))
    parts.open(job)
    try:
        _compute(parts, backbone, found.source, options, place)
        table = _table(parts, found, backbone, job)
        parts.finish(lambda path: write_table(path, out.suffix, table))
    finally:
        parts.close()
    return out


def _job(
    run_or_weights: str | Path,
    found: FoundImages,
    options: EmbedOptions,
    backbone: Backbone,
    device: torch.device,
) -> dict[str, Any]:
    """Give all that the features depend on."""
    names = hashlib.sha256()
    for index in range(len(found)):
        names.update(f"{found.source.name(index)}\n".encode("utf-8", "surrogateescape"))
    return {
        "data": found.spec,
        "split": options.split,
        **({} if options.test_share is None else {"test_share": options.test_share}),
        "images": len(found),
        "names_sha256": names.hexdigest(),
        "weights": str(run_or_weights),
        "weights_sha256": file_sha256(weights_path(run_or_weights)),
        "resolution": backbone.resolution,
        "precision": resolve_precision(options.precision, device),
    }


def _compute(
    parts: Parts, backbone: Backbone, source: Source, options: EmbedOptions, device: torch.device
) -> None:
    """Compute the parts that are missing."""
    decode = Decoder(source, backbone.resolution, options.num_workers)
    number, total = parts.count(), len(source)
    done = min(number * _PART, total)
    say(
        f"{options.split} split: {total} images, at {backbone.resolution} pixels on {device}"
        + (f"; going on after {done} of them" if done else "")
    )
    with Progress(total, unit="images", description="embed", initial=done) as progress:
        for start in range(done, total, _PART):
            rows: list[int] = []
            kept: list[torch.Tensor] = []
            for first in range(start, min(start + _PART, total), options.batch_size):
                end = min(first + options.batch_size, start + _PART, total)
                pixels, broken = decode.readable(range(first, end))
                _tell_broken(source, broken, skip=options.skip_broken)
                missing = {index for index, _ in broken}
                rows += [index for index in range(first, end) if index not in missing]
                if len(pixels):
                    kept.append(_features(backbone, pixels.to(device), options, device))
                progress.update(end - first)
            features = torch.cat(kept) if kept else torch.empty(0, backbone.num_features)
            parts.save(number, np.array(rows, np.int64), features.numpy())
            number += 1


def _features(
    backbone: Backbone, pixels: torch.Tensor, options: EmbedOptions, device: torch.device
) -> torch.Tensor:
    precision = resolve_precision(options.precision, device)
    features = compute_features(backbone, pixels, precision).cpu()
    if not features.isfinite().all():
        raise UserError(
            "the backbone gives features that are not numbers (NaN): its training broke down"
        )
    return features


def _tell_broken(
    source: Source, broken: Sequence[tuple[int, BrokenImageError]], *, skip: bool
) -> None:
    """Name the images that are left out; stop at one that is broken where that is asked for."""
    refused = [item for item in broken if not skip and not isinstance(item[1], TooLargeError)]
    if refused:
        raise UserError(
            f"{broken_images(source, refused)}, or leave them out with --skip-broken; started "
            "again, it goes on from here"
        )
    for index, error in broken[:_NAMED]:
        say(f"left out {source.describe(index)}: {error}")
    if len(broken) > _NAMED:
        say(f"left out {len(broken) - _NAMED} more images that can't be decoded")


def _table(
    parts: Parts, found: FoundImages, backbone: Backbone, job: dict[str, Any]
) -> FeatureTable:
    labels = found.source.labels
    count = sum(len(part.rows) for part in parts.read())
    if not count:
        raise UserError(f"no image of {found.spec} can be decoded; there is nothing to write")
    about = {
        **job,
        "left_out": len(found) - count,
        "labels": labels.problem or "of the data set",
        "arch": backbone.header["arch"],
        "provenance": backbone.header.get("provenance"),
        "commit": project_commit(),
    }
    if labels.numbers is None:
        say(f"no labels are written: {labels.problem}")
    say(f"{count} images of {backbone.num_features} features; left out: {about['left_out']}")
    return FeatureTable(
        found.source.name,
        labels.numbers,
        labels.class_names,
        count,
        backbone.num_features,
        parts.read,
        about,
    )
