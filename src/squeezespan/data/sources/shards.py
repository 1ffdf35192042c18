"""The data spec `wds:PATTERN`: WebDataset shards, tar files whose members are grouped by name."""

import itertools
import json
import re
from pathlib import Path

from squeezespan.data.encoded import is_image
from squeezespan.data.labels import UnreadableLabel, number_labels
from squeezespan.data.sources.base import EncodedSource
from squeezespan.data.sources.passed_over import count_passed_over
from squeezespan.data.sources.tar import Shelf, TarMember, read_tar
from squeezespan.data.splits import Split, choose_split, split_names, split_of
from squeezespan.errors import UserError

__all__ = ["expand_pattern", "open_shards"]

_MOST_SHARDS = 1_000_000
_SPLIT = "{split}"
_PLACE = "\0"


def open_shards(pattern: str, split: Split, *, memory_limit: int) -> EncodedSource:
    """Open the images of one split of a set of WebDataset shards.

    A sample is the members that share a name up to its first dot: an image, and its class in a
    `.cls` file, or under `label` or `cls` in a `.json` file.

    Args:
        pattern: path of the shards; `{000..010}` stands for numbers, `{a,b}` for alternatives,
            `*` for anything, and `{split}` for the names that `data.splits` has for a split.
            Without `{split}` the shards are the train split.
        split: which images.
        memory_limit: bytes of compressed shards that may be kept in memory.

    Raises:
        UserError: no such shards or split, a shard that is damaged or not safe, or no images.
    """
    shelf = Shelf(memory_limit)
    names: list[str] = []
    labels: list[object] = []
    without: list[str] = []
    for shard in _find_shards(pattern, split):
        _read_shard(shard, shelf, names, labels, without)
    passed = count_passed_over(without)
    if not names:
        raise UserError(f"the shards of {pattern} hold no images{passed and f', only {passed}'}")
    notices = [f"wds:{pattern}: samples without an image hold {passed}"] if passed else []
    return EncodedSource(
        pattern,
        names,
        shelf.read,
        number_labels(labels, names.__getitem__),
        notices=notices,
    )


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
    if _SPLIT not in pattern:
        if split == "train":
            return _shards_of(pattern)
        raise UserError(
            f"{pattern} has no {split} split; write {{split}} where the shards' names say train "
            f"and {split_names(split)[0]}"
        )
    words = _words_of_split(pattern)
    word = choose_split(split, filter(split_of, words), f"wds:{pattern}")
    if word is None:
        held = f"there are {', '.join(sorted(words)[:5])}" if words else "there are no shards"
        raise UserError(f"wds:{pattern} has no {split} split: {held}; check the pattern")
    return _shards_of(pattern.replace(_SPLIT, word))


def _words_of_split(pattern: str) -> set[str]:
    """Give what stands in the place of `{split}` in the names of shards that are there."""
    words: set[str] = set()
    for path in expand_pattern(pattern.replace(_SPLIT, _PLACE)):
        place = str(Path(path).expanduser())
        expected = re.escape(place).replace(re.escape("*"), "[^/]*")
        first = expected.replace(_PLACE, "(?P<split>[^/]+?)", 1)
        named = re.compile(first.replace(_PLACE, "(?P=split)"))
        found = map(named.fullmatch, map(str, _glob(Path(place.replace(_PLACE, "*")))))
        words |= {match["split"] for match in found if match}
    return words


def _shards_of(pattern: str) -> list[Path]:
    shards: list[Path] = []
    for path in expand_pattern(pattern):
        found = _glob(Path(path).expanduser())
        if not found:
            raise UserError(f"there is no shard {path}; check the pattern {pattern}")
        shards += found
    return shards


def _glob(path: Path) -> list[Path]:
    if "*" not in str(path):
        return [path] if path.is_file() else []
    relative = path.relative_to(path.anchor)
    return sorted(Path(path.anchor).glob(str(relative)))


def _read_shard(
    shard: Path, shelf: Shelf, names: list[str], labels: list[object], without: list[str]
) -> None:
    """Put the images of a shard on the shelf, and collect names, labels and other files."""
    images: dict[str, int] = {}
    classes: dict[str, dict[str, object]] = {}
    others: dict[str, list[str]] = {}
    for member in read_tar(shard):
        folder, _, file = member.name.rpartition("/")
        stem, _, extension = file.partition(".")
        key, extension = f"{folder}/{stem}", extension.lower()
        if is_image(file) and "." not in extension:
            if key in images:
                raise UserError(f"the sample {key} of {shard} has two images; leave one")
            images[key] = len(names)
            names.append(f"{shard.name}/{member.name}")
            labels.append(None)
            shelf.add(shard, member)
        elif extension in ("cls", "json"):
            classes.setdefault(key, {})[extension] = _label(member, extension)
        elif stem:
            others.setdefault(key, []).append(file)
    for key, index in images.items():
        given = classes.get(key, {})
        labels[index] = given["cls"] if "cls" in given else given.get("json")
    without += [file for key, files in others.items() if key not in images for file in files]


def _label(member: TarMember, extension: str) -> object:
    """Give the label in a member, whatever its type, or None where it gives none."""
    try:
        text = member.read().decode()
        if extension == "cls":
            return _number_or_text(text.strip())
        content = json.loads(text)
    # Besides JSON's own errors, bytes that are no text and lists without end.
    except (ValueError, RecursionError):
        return UnreadableLabel(f"is in a .{extension} file that cannot be read")
    fields = content if isinstance(content, dict) else {}
    return fields.get("label", fields.get("cls"))


def _number_or_text(text: str) -> object:
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text or None
