"""`dataset.json`, the side file in which StyleGAN's dataset tool keeps the labels of images.

https://github.com/NVlabs/stylegan3, `dataset_tool.py`: `{"labels": [[name, label], ...]}`, where
names are relative to the file's folder and may be flat or in folders of a thousand images, and
`labels` is null for unlabelled images.
"""

import json
import re

from squeezespan.data.labels import Labels, number_labels
from squeezespan.data.sources.files import FileList

__all__ = ["LABEL_FILE", "read_label_file"]

LABEL_FILE = "dataset.json"
_NUMBER = re.compile(r"\d+")


def read_label_file(files: FileList, root: str, members: list[str]) -> Labels | None:
    """Read the labels of a split's images from the label file beside or above them.

    Args:
        files: of the tree.
        root: the split's folder, with a slash at its end; empty for the tree itself.
        members: names of the split's images.

    Returns:
        The labels, or None where there is no such file; also where a file of this name says
        nothing about these images, and their folders have names that can be classes.
    """
    index = _find(files, root)
    if index is None:
        return None
    place = files.names[index]
    try:
        content = json.loads(files.read(index))
    # Besides JSON's own errors, bytes that are no text and lists without end.
    except (ValueError, RecursionError):
        return Labels(problem=f"{place} is not JSON")
    listed = content.get("labels", []) if isinstance(content, dict) else []
    if listed is None:
        return Labels(problem=f"{place} gives none")
    pairs = list(listed.items()) if isinstance(listed, dict) else listed
    if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
        return Labels(problem=f"the labels in {place} are no list of names and labels")
    given = {name.replace("\\", "/"): label for name, label in pairs}
    folder = place[: -len(LABEL_FILE)]
    values = [given.get(name[len(folder) :]) for name in members]
    if any(value is not None for value in values):
        labels = number_labels(values, lambda i: members[i])
        return labels if labels.numbers else Labels(problem=f"in {place} {labels.problem}")
    folders = {name[len(root) :].split("/", 1)[0] for name in members if "/" in name[len(root) :]}
    if all(map(_NUMBER.fullmatch, folders)):
        return Labels(problem=f"{place} names none of these images")
    return None


def _find(files: FileList, root: str) -> int | None:
    places = {name: index for index, name in enumerate(files.names)}
    folder = root.rstrip("/")
    while folder:
        if (index := places.get(f"{folder}/{LABEL_FILE}")) is not None:
            return index
        folder = folder.rpartition("/")[0]
    return places.get(LABEL_FILE)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
