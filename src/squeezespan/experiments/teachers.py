"""How good the generators of an experiment are, each scored once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezespan.data.specs import find_images
from squeezespan.environment import environment
from squeezespan.experiments.columns import Column
from squeezespan.experiments.experiment import Scale
from squeezespan.files import write_json
from squeezespan.gan.scoring import score_generator
from squeezespan.gan.scoring.features import EfficientNetLite0
from squeezespan.generators.registry import generator_sha256, load_generator
from squeezespan.hardware import resolve_device

__all__ = ["TeacherScore", "score_teachers"]

_IMAGES: dict[Scale, int] = {"mini": 5_000, "paper": 50_000}


@dataclass(frozen=True)
class TeacherScore:
    """The score of a generator against the images that it stands beside."""

    frechet: float
    """Frechet distance of EfficientNet-Lite0 features."""
    kernel: float
    precision: float
    recall: float
    images: int
    """Generated, and real ones at most."""


def score_teachers(
    columns: Sequence[Column], scale: Scale, folder: Path, device: str = "auto"
) -> dict[str, TeacherScore]:
    """Score the generator of every data set, as `squeezespan gan score` does with seed 0.

    Args:
        columns: data sets and their generators.
        scale: decides on the number of images: 5,000, or 50,000 at the scale `paper`.
        folder: where scores are kept, one JSON file each.
        device: where networks run.

    Returns:
        Name of the data set to the score.

    Raises:
        UserError: a generator or a data set that can't be used, or a package that is missing.
        StorageError: the disk is full.
    """
    return {column.name: _score(column, _IMAGES[scale], folder, device) for column in columns}


def _score(column: Column, images: int, folder: Path, device: str) -> TeacherScore:
    sha256 = generator_sha256(column.gan)
    file = folder / f"{column.name}--{sha256[:12]}--{images}.json"
    if not file.exists():
        place = resolve_device(device)
        generator = load_generator(column.gan, place)
        real = find_images(column.data, "train").load(generator.info.resolution, device=place)
        score = score_generator(generator, real, num_images=images, num_real=images, device=place)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(file, {"gan": column.gan, "gan_sha256": sha256, **score, **environment()})
    return _read(json.loads(file.read_text(encoding="utf-8")))


def _read(score: Mapping[str, Any]) -> TeacherScore:
    names = EfficientNetLite0.names
    return TeacherScore(
        score[names.frechet],
        score[names.kernel],
        score[names.precision],
        score[names.recall],
        score["num_images"],
    )
