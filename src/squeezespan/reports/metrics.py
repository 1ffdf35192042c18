"""Reading a run's `metrics.jsonl` as curves."""

import json
from pathlib import Path
from typing import Any

from squeezespan.errors import UserError

__all__ = ["Record", "curve", "read_metrics", "term_names"]

Record = dict[str, Any]

_NOT_TERMS = {
    "kind",
    "step",
    "epoch",
    "images",
    "lr",
    "loss",
    "embedding_std",
    "target_std",
    "target_collapsed",
    "collapsed",
    "seconds",
    "images_per_second",
}


def read_metrics(path: Path) -> list[Record]:
    """Read the lines of a `metrics.jsonl`.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the metrics {path}: {error}") from error


def curve(
    records: list[Record], kind: str, name: str, batch_size: int
) -> list[tuple[float, float]]:
    """Give one number over the course of a run.

    Args:
        records: from `read_metrics`.
        kind: `train` or `knn`.
        name: of the number.
        batch_size: of the run.

    Returns:
        (images through the student, value); two views of an image count once.
    """
    return [
        (record["step"] * batch_size, float(record[name]))
        for record in records
        if record.get("kind") == kind and name in record
    ]


def term_names(records: list[Record]) -> list[str]:
    """Give the names of the loss's terms, such as `real/invariance`, in their own order."""
    names: dict[str, None] = {}
    for record in records:
        if record.get("kind") == "train":
            names |= dict.fromkeys(name for name in record if name not in _NOT_TERMS)
    return list(names)
