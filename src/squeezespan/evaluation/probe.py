"""Evaluation of a trained backbone on a data set, with everything that the figure depends on."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from squeezespan.data.notices import say_once
from squeezespan.data.specs import find_images
from squeezespan.evaluation.circumstances import circumstances
from squeezespan.evaluation.judged import Judged
from squeezespan.evaluation.labels import labels_of
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.protocols import (
    FeatureSplit,
    extract_split,
    figures,
    score_features,
    score_linear,
)
from squeezespan.files import file_sha256
from squeezespan.hardware import resolve_device
from squeezespan.models.student_file import Backbone, load_backbone, weights_path
from squeezespan.settings import check_ranges

__all__ = ["describe_protocol", "examine", "probe", "probe_all"]


def probe(
    run_or_weights: str | Path,
    data: str,
    protocol: Protocol = "knn",
    options: ProbeOptions | None = None,
) -> dict[str, Any]:
    """Train a classifier on a frozen backbone's features of train, and test it on test.

    Args:
        run_or_weights: a run folder, a `student.safetensors` file or a discriminator, as
            `load_backbone` takes it.
        data: spec of a labelled data set with train and test splits.
        protocol: `knn`, `linear` (the paper's probe), `logistic` or `fewshot`.
        options: settings; the paper's if None.

    Returns:
        `accuracy` in [0, 1], its 95% `interval`, `top5` beyond ten classes, settings and
        provenance, ready for JSON.

    Raises:
        UserError: the weights or the data can't be read, or don't fit the protocol.
    """
    return probe_all(run_or_weights, data, (protocol,), options)[protocol]


def probe_all(
    run_or_weights: str | Path,
    data: str,
    protocols: Sequence[Protocol],
    options: ProbeOptions | None = None,
) -> dict[Protocol, dict[str, Any]]:
    """Evaluate by several protocols, with the images decoded and their features computed once.

    Args:
        run_or_weights: as for `probe`.
        data: as for `probe`.
        protocols: which ones.
        options: settings, of which each protocol reads its own.

    Returns:
        Protocol to what `probe` gives.

    Raises:
        UserError: as for `probe`.
    """
    found = examine(run_or_weights, data, protocols, options)
    return {protocol: result for protocol, (result, _) in found.items()}


def examine(
    run_or_weights: str | Path,
    data: str,
    protocols: Sequence[Protocol],
    options: ProbeOptions | None = None,
) -> dict[Protocol, tuple[dict[str, Any], Judged]]:
    """Give what `probe_all` gives, each with what the classifier made of every test image."""
    options = options or ProbeOptions()
    check_ranges(options, where="probe")
    started = time.perf_counter()
    device = resolve_device(options.device)
    weights_sha256 = file_sha256(weights_path(run_or_weights))
    backbone = load_backbone(run_or_weights, device)
    # The same layout as the images': convolutions need no copies in between.
    backbone.network.to(memory_format=torch.channels_last)
    share = options.test_share
    found = find_images(data, "train", test_share=share)
    found_test = find_images(data, "test", test_share=share)
    side, workers = backbone.resolution, options.num_workers
    test = found_test.load(side, device=device, num_workers=workers)
    if backbone.unprepared:
        backbone.prepare(found.load(side, device=device, num_workers=workers))
    results: dict[Protocol, tuple[dict[str, Any], Judged]] = {}
    split: FeatureSplit | None = None
    for protocol in protocols:
        if protocol == "linear":
            train = found.load_originals(side, device=device, num_workers=workers)
            one, settings = score_linear(backbone, train, test, options, device)
            scores = [one]
        else:
            if split is None:
                train = found.load(side, device=device, num_workers=workers)
                split = extract_split(backbone, train, test, options, device)
            scores, settings = score_features(split, protocol, options)
        _, test_y, names = labels_of(train, test)
        result = {
            "protocol": protocol,
            **figures(scores, test_y.to(device), len(names), settings),
            "seed": options.seed,
            "classes": len(names),
            "n_train": len(train),
            "n_test": len(test),
            "train_images": found.sizes.describe(len(train), side),
            "test_images": found_test.sizes.describe(len(test), side),
            "data": data,
            **_divided(run_or_weights, backbone, data, share),
            "weights": str(run_or_weights),
            "weights_sha256": weights_sha256,
            **circumstances(backbone, device, options.precision, started),
        }
        results[protocol] = result, Judged(scores, test_y, names, test)
        started = time.perf_counter()
    return results


def _divided(
    run_or_weights: str | Path, backbone: Backbone, data: str, share: float | None
) -> dict[str, Any]:
    """Say that the test images are some of train's, and whether the student learnt from them."""
    if share is None:
        return {}
    seen = any(
        facts.get("data") == data and facts.get("test_share") != share
        for facts in _trainings(backbone.header.get("provenance"))
    )
    if seen:
        say_once(
            f"{run_or_weights} learnt from images of {data} that it is tested on here; "
            f"--images.test-share {share:g} of distill (--test-share of finetune) keeps them out"
        )
    return {"test_share": share, "test_images_seen": seen}


def _trainings(provenance: object) -> Iterator[Mapping[str, Any]]:
    """What a student's file says of its training, and of those before a fine-tuning."""
    while isinstance(provenance, Mapping):
        yield provenance
        if isinstance(tuned := provenance.get("finetuned"), Mapping):
            yield tuned
        provenance = provenance.get("before")


def describe_protocol(result: Mapping[str, Any]) -> str:
    """Give the protocol of a result with its settings, such as `knn (k 200, seed 0)`.

    Args:
        result: of `probe`.
    """
    settings = ", ".join(
        f"{name} {value}" for name, value in result["settings"].items() if value is not None
    )
    return f"{result['protocol']} ({settings}, seed {result['seed']})"
