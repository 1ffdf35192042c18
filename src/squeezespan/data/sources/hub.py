"""The data spec `hf:NAME`: whatever the `datasets` library reads, from the hub or a folder."""

import importlib.util
import logging
from pathlib import Path
from typing import Any

from squeezespan.data.sources.base import EncodedSource, Split
from squeezespan.errors import UserError

__all__ = ["open_hub"]

_SPLIT_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "test": ("test", "validation", "valid", "val"),
    "unlabeled": ("unlabeled", "unsupervised"),
}


def open_hub(name: str, split: Split) -> EncodedSource:
    """Open the images of one split of a Hugging Face data set.

    The first column of images and the first of class labels are taken.

    Args:
        name: on the hub, or a local folder in a layout that the library knows; a configuration
            follows a colon (`NAME:CONFIG`).
        split: which images; `test` takes `validation` where there is no `test`.

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
    class_names, labels = _labels(table)
    # Undecoded, so that the rules for odd images are the same for every source.
    encoded = table.select_columns([column]).cast_column(column, Image(decode=False))
    numbers = [f"image {i} of {split}" for i in range(len(encoded))]
    return EncodedSource(
        f"hf:{name}", numbers, lambda index: _bytes(encoded[index][column]), class_names, labels
    )


def _load(name: str, split: Split) -> Any:
    from datasets import get_dataset_split_names, load_dataset

    # Its retries would stand before the one line that says what is wrong.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    path, _, config = name.partition(":")
    try:
        present = get_dataset_split_names(path, config or None)
        chosen = next((option for option in _SPLIT_NAMES[split] if option in present), None)
        if chosen is None:
            raise UserError(f"hf:{name} has no {split} split; it has {', '.join(present)}")
        return load_dataset(path, config or None, split=chosen)
    except UserError:
        raise
    # The library's failures have no common type: missing names, networks, formats, scripts.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"cannot open hf:{name}: {reason}") from error


def _labels(table: Any) -> tuple[list[str], list[int] | None]:
    from datasets import ClassLabel

    for column, kind in table.features.items():
        if isinstance(kind, ClassLabel):
            labels = [int(label) for label in table[column]]
            # Sets without answers for a split fill its labels with -1.
            if labels and min(labels) >= 0:
                return list(kind.names), labels
    return [], None


def _bytes(cell: dict[str, Any]) -> bytes:
    data = cell["bytes"]
    if isinstance(data, bytes):
        return data
    return Path(cell["path"]).read_bytes()
