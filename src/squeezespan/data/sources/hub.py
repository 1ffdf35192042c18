"""The data spec `hf:NAME`: whatever the `datasets` library reads, from the hub or a folder."""

import importlib.util
import logging
from pathlib import Path
from typing import Any

from squeezespan.data.encoded import BrokenImageError
from squeezespan.data.labels import Labels, UnreadableLabel, number_labels
from squeezespan.data.sources.base import EncodedSource
from squeezespan.data.splits import Split, choose_split
from squeezespan.errors import UserError

__all__ = ["open_hub"]

_LABEL_COLUMNS = ("label", "labels", "cls", "class", "class_label", "target", "category")


def open_hub(name: str, split: Split) -> EncodedSource:
    """Open the images of one split of a Hugging Face data set.

    The first column of images is taken, and of labels the first of class labels, or else a column
    called label, labels, cls, class, class_label, target or category.

    Args:
        name: on the hub, or a local folder in a layout that the library knows; a configuration
            follows a colon (`NAME:CONFIG`).
        split: which images; `data.splits` has the names.

    Raises:
        UserError: the library is not installed; no such data set or split; no images in it.
    """
    if importlib.util.find_spec("datasets") is None:
        raise UserError(
            f"hf:{name} needs the datasets library; install it with: "
            "pip install 'squeezespan[data]'"
        )
    from datasets import Image

    table = _load(name, split)
    column = next((key for key, kind in table.features.items() if isinstance(kind, Image)), None)
    if column is None:
        columns = ", ".join(table.features)
        raise UserError(f"hf:{name} has no column of images; its columns are {columns}")
    labels = _labels(table)
    # Undecoded, so that the rules for odd images are the same for every source.
    encoded = table.select_columns([column]).cast_column(column, Image(decode=False))
    numbers = [f"image {i} of {split}" for i in range(len(encoded))]
    return EncodedSource(
        f"hf:{name}", numbers, lambda index: _bytes(encoded[index][column]), labels
    )


def _load(name: str, split: Split) -> Any:
    from datasets import get_dataset_split_names, load_dataset

    # Its retries would stand before the one line that says what is wrong.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    path, _, config = name.partition(":")
    try:
        present = get_dataset_split_names(path, config or None)
        chosen = choose_split(split, present, f"hf:{name}")
        if chosen is None:
            raise UserError(f"hf:{name} has no {split} split; it has {', '.join(present)}")
        return load_dataset(path, config or None, split=chosen)
    except UserError:
        raise
    # The library's failures have no common type: missing names, networks, formats, scripts.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"cannot open hf:{name}: {reason}") from error


def _labels(table: Any) -> Labels:
    from datasets import ClassLabel

    columns = table.features
    column = next((key for key, kind in columns.items() if isinstance(kind, ClassLabel)), None)
    if column is None:
        column = next((key for key in columns if key.lower() in _LABEL_COLUMNS), None)
    if column is None:
        return Labels(problem=f"no column of labels is among {', '.join(columns)}")
    kind = columns[column]
    values = list(table[column]) if _is_plain(kind) else [UnreadableLabel(f"is of the type {kind}")]
    labels = number_labels(values, lambda index: f"row {index}")
    if labels.numbers is None:
        return Labels(problem=f"in the column {column} {labels.problem}")
    if isinstance(kind, ClassLabel):
        return Labels(list(kind.names), labels.numbers, "")
    return labels


def _is_plain(kind: Any) -> bool:
    """Tell whether a column holds one number or text a row."""
    from datasets import ClassLabel, Value

    return isinstance(kind, ClassLabel | Value)


def _bytes(cell: dict[str, Any] | None) -> bytes:
    data = (cell or {}).get("bytes")
    if isinstance(data, bytes):
        return data
    path = (cell or {}).get("path")
    if not path:
        raise BrokenImageError("the row has no image")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BrokenImageError(f"cannot read {path}: {error.strerror}") from error
