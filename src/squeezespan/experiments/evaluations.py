"""Judging a cell's student, each protocol once, and kept beside the cell."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from squeezespan.config import load_config
from squeezespan.distillation.images import open_run_images
from squeezespan.errors import UserError
from squeezespan.evaluation.circumstances import circumstances
from squeezespan.evaluation.options import FeatureProtocol, ProbeOptions, Protocol
from squeezespan.evaluation.probe import probe_all
from squeezespan.evaluation.protocols import evaluate_features, extract_split
from squeezespan.experiments.columns import Column
from squeezespan.files import write_json
from squeezespan.hardware import resolve_device
from squeezespan.models.student_file import load_backbone
from squeezespan.settings import to_dict

__all__ = ["Target", "evaluate", "read_evaluations", "unevaluated"]


_LEFT_OUT = [("patches", None), ("test_share", None)]
"""Options that came later, at their defaults."""


@dataclass(frozen=True)
class Target:
    """The images that a student is judged on."""

    name: str
    """Of the data set; `held-out` for the images held out of the student's own train split."""
    data: str | None
    """Data spec; None for the images held out."""
    key: str = "held-out"
    """Names the images in files."""

    @classmethod
    def of(cls, column: Column) -> "Target":
        """The test split of a data set."""
        return cls(column.name, column.data, column.images)

    @classmethod
    def held_out(cls) -> "Target":
        """The images held out of the student's own train split."""
        return cls("held-out", None)


def evaluate(
    run: str | Path,
    place: Path,
    target: Target,
    protocols: Sequence[Protocol],
    options: ProbeOptions,
) -> None:
    """Evaluate a student by the protocols by which it wasn't yet.

    Args:
        run: finished run folder, or what else `probe` takes.
        place: folder of the cell's evaluations.
        target: what to judge on.
        protocols: which ones.
        options: their settings.

    Raises:
        UserError: the data has no labels, or doesn't fit a protocol.
    """
    left = unevaluated(place, target, protocols, options)
    if not left:
        return
    results: Mapping[Protocol, dict[str, Any]]
    if target.data is None:
        by_features = [name for name in left if name != "linear"]
        assert by_features == left, "the linear probe is not for images held out"
        results = _evaluate_held_out(Path(run), by_features, options)
    else:
        results = probe_all(run, target.data, left, options)
    place.mkdir(parents=True, exist_ok=True)
    for protocol in left:
        write_json(_file(place, target, protocol, options), results[protocol])


def unevaluated(
    place: Path, target: Target, protocols: Sequence[Protocol], options: ProbeOptions
) -> list[Protocol]:
    """Give the protocols by which a student wasn't judged yet; arguments as `read_evaluations`."""
    return [name for name in protocols if not _file(place, target, name, options).exists()]


def read_evaluations(
    place: Path, target: Target, protocols: Sequence[Protocol], options: ProbeOptions
) -> dict[Protocol, dict[str, Any]]:
    """Give what is known of a cell's student, protocol by protocol.

    Args:
        place: folder of the cell's evaluations.
        target: what it was judged on.
        protocols: which ones are asked for.
        options: their settings.
    """
    left = unevaluated(place, target, protocols, options)
    files = {name: _file(place, target, name, options) for name in protocols if name not in left}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}


def _file(place: Path, target: Target, protocol: Protocol, options: ProbeOptions) -> Path:
    settings = {**to_dict(options), "device": "", "precision": "", "num_workers": 0}
    # What is left out changes nothing, so that a new option doesn't rename what was judged before.
    settings = {name: value for name, value in settings.items() if (name, value) not in _LEFT_OUT}
    text = json.dumps([protocol, settings], sort_keys=True)
    return place / f"{target.key}-{protocol}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"


def _evaluate_held_out(
    run: Path, protocols: Sequence[FeatureProtocol], options: ProbeOptions
) -> Mapping[Protocol, dict[str, Any]]:
    started = time.perf_counter()
    device = resolve_device(options.device)
    config = load_config(run / "config.json")
    backbone = load_backbone(run, device)
    backbone.network.to(memory_format=torch.channels_last)
    sized = replace(config.images, resolution=backbone.resolution)
    watched = replace(config.monitor, knn_every=1)
    images = open_run_images(replace(config, images=sized, monitor=watched), device).knn
    if images is None:
        raise UserError(
            f"{config.data} has no labelled images held out of train, by which settings are chosen"
        )
    split = extract_split(backbone, images.neighbors, images.queries, options, device)
    about = circumstances(backbone, device, options.precision, started)
    return {
        protocol: {
            "protocol": protocol,
            **evaluate_features(split, protocol, options),
            "n_train": len(images.neighbors),
            "n_test": len(images.queries),
            "data": f"{config.data}, held out of train",
            **about,
        }
        for protocol in protocols
    }
