"""Counting the files of a data set that are not read."""

import posixpath
from collections import Counter
from collections.abc import Iterable

from squeezespan.data.encoded import is_image
from squeezespan.data.sources.dataset_json import LABEL_FILE

__all__ = ["count_passed_over"]

_MOST_KINDS = 4


def count_passed_over(names: Iterable[str]) -> str:
    """Give files that are no images of a kind that is read, such as `8 .heic and 1 .txt`.

    Args:
        names: of all files; images and label files are not counted.

    Returns:
        One phrase, the most frequent suffixes first; empty where all files are read.
    """
    kinds = Counter(
        posixpath.splitext(name)[1].lower() or "without a suffix"
        for name in names
        if not is_image(name) and posixpath.basename(name) != LABEL_FILE
    )
    if not kinds:
        return ""
    counted = [f"{count} {kind}" for kind, count in kinds.most_common(_MOST_KINDS)]
    others = kinds.total() - sum(count for _, count in kinds.most_common(_MOST_KINDS))
    if others:
        counted.append(f"{others} of other kinds")
    listed = ", ".join(counted[:-1]) + " and " + counted[-1] if len(counted) > 1 else counted[0]
    return f"files that are not read as images: {listed}"
