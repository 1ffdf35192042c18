"""The data spec `wds:PATTERN`: WebDataset shards, tar files whose members are grouped by name."""

import itertools
import json
import re
from pathlib import Path

from squeezespan.data.decode import is_image
from squeezespan.data.sources.base import EncodedSource, Split
from squeezespan.data.sources.tar import Shelf, TarMember, read_tar
from squeezespan.errors import UserError

__all__ = ["expand_pattern", "open_shards"]

_SPLIT_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "test": ("test", "val"),
    "unlabeled": ("unlabeled",),
}
_MOST_SHARDS = 1_000_000


def open_shards(pattern: str, split: Split, *, memory_limit: int) -> EncodedSource:
    """Open the images of one split of a set of WebDataset shards.

    A sample is the members that share a name up to its first dot: an image, and a class number in
    a `.cls` file, or under `label` or `cls` in a `.json` file.

    Args:
        pattern: path of the shards; `{000..010}` stands for numbers, `{a,b}` for alternatives,
            `*` for anything, and `{split}` for train, test (or val) or unlabeled. Without
            `{split}` the shards are the train split.
        split: which images.
        memory_limit: bytes of compressed shards that may be kept in memory.

    Raises:
        UserError: no such shards or split, a shard that is damaged or not safe, samples without
            an image, or only some with a class.
    """
    shelf = Shelf(memory_limit)
    names: list[str] = []
    labels: list[int | None] = []
    for shard in _find_shards(pattern, split):
        _read_shard(shard, shelf, names, labels)
    if not names:
        raise UserError(f"the shards of {pattern} hold no images")
    known = [label for label in labels if label is not None]
    if not known:
        return EncodedSource(pattern, names, shelf.read)
    if len(known) < len(labels):
        raise UserError(
            f"only {len(known)} of the {len(labels)} images of {pattern} have a class; the first "
            f"without is {names[labels.index(None)]}"
        )
    class_names = [str(number) for number in range(max(known) + 1)]
    return EncodedSource(pattern, names, shelf.read, class_names, known)


def expand_pattern(pattern: str) -> list[str]:
    """Write out the braces of a pattern: `{000..010}` counts, `{a,b}` lists.

    Raises:
        UserError: braces that are neither, or that make more than a million names.
    """
    choices: list[list[str]] = []
    count = 1
    for index, piece in enumerate(re.split(r"\{([^{}]*)\}", pattern)):
        options = _options(piece, pattern) if index % 2 else [piece]
        choices.append(options)
        count *= len(options)
    if count > _MOST_SHARDS:
        raise UserError(f"{pattern} stands for {count} shards; check its braces")
    return ["".join(parts) for parts in itertools.product(*choices)]


def _options(piece: str, pattern: str) -> list[str]:
    counted = re.fullmatch(r"(\d+)\.\.(\d+)", piece)
    if counted:
        first, last = counted.groups()
        numbers = range(int(first), min(int(last), int(first) + _MOST_SHARDS) + 1)
        if not numbers:
            raise UserError(f"{{{piece}}} in {pattern} counts down; write the lower number first")
        return [str(number).zfill(len(first)) for number in numbers]
    if "," in piece:
        return piece.split(",")
    raise UserError(f"{{{piece}}} in {pattern} is neither {{000..010}} nor {{a,b}} nor {{split}}")


def _find_shards(pattern: str, split: Split) -> list[Path]:
    if "{split}" not in pattern and split != "train":
        raise UserError(
            f"{pattern} has no {split} split; write {{split}} where the shards' names say train "
            f"and {_SPLIT_NAMES[split][0]}"
        )
    missing = ""
    for name in _SPLIT_NAMES[split]:
        shards: list[Path] = []
        absent: list[str] = []
        for path in expand_pattern(pattern.replace("{split}", name)):
            found = _glob(Path(path).expanduser())
            shards += found
            absent += [] if found else [path]
        if shards and not absent:
            return shards
        missing = missing or absent[0]
        if shards:
            break
    raise UserError(f"there is no shard {missing}; check the pattern {pattern}")


def _glob(path: Path) -> list[Path]:
    if "*" not in str(path):
        return [path] if path.is_file() else []
    relative = path.relative_to(path.anchor)
    return sorted(Path(path.anchor).glob(str(relative)))


def _read_shard(shard: Path, shelf: Shelf, names: list[str], labels: list[int | None]) -> None:
    images: dict[str, int] = {}
    classes: dict[str, int] = {}
    for member in read_tar(shard):
        folder, _, file = member.name.rpartition("/")
        stem, _, extension = file.partition(".")
        key = f"{folder}/{stem}"
        if is_image(file) and "." not in extension:
            if key in images:
                raise UserError(f"the sample {key} of {shard} has two images; leave one")
            images[key] = len(names)
            names.append(f"{shard.name}/{member.name}")
            labels.append(None)
            shelf.add(shard, member)
        elif extension in ("cls", "json"):
            label = _label(member, shard, extension)
            if label is not None:
                classes[key] = label
    for key, index in images.items():
        labels[index] = classes.get(key)


def _label(member: TarMember, shard: Path, extension: str) -> int | None:
    try:
        value = json.loads(member.read())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{member.name} in {shard} is not {_EXPECTED[extension]}") from error
    if extension == "json":
        fields = value if isinstance(value, dict) else {}
        value = fields.get("label", fields.get("cls"))
        if value is None:
            return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UserError(f"{member.name} in {shard} gives no class number from 0 on")
    return value


_EXPECTED = {"cls": "a class number", "json": "JSON"}
