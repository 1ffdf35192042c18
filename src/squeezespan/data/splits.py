"""The names that splits go by in folders, archives, shards and tables: the only such list."""

import re
from collections.abc import Iterable
from typing import Literal

from squeezespan.errors import UserError

__all__ = [
    "SPLIT_WORDS",
    "Split",
    "choose_split",
    "looks_like_split",
    "split_names",
    "split_of",
]

Split = Literal["train", "test", "unlabeled"]

_KINDS: dict[Split, tuple[tuple[str, ...], ...]] = {
    "train": (("train", "training"),),
    "test": (("test", "testing"), ("val", "valid", "validation")),
    "unlabeled": (("unlabeled", "unlabelled", "unsupervised"),),
}
"""Names of one group are the same split; of several groups, the first that is there is taken."""

_SPLITS = {name: split for split, groups in _KINDS.items() for group in groups for name in group}
SPLIT_WORDS = "|".join(sorted(_SPLITS, key=len, reverse=True))
"""All names as alternatives of a regular expression, to be matched in any case."""

_ALIKE: dict[str, Split] = {
    **_SPLITS,
    **dict.fromkeys(("trn", "trainset", "traindata", "trainval"), "train"),
    **dict.fromkeys(
        ("tst", "testset", "testdata", "valset", "valdata", "dev", "devset", "eval", "evaluation"),
        "test",
    ),
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def split_of(name: str) -> Split | None:
    """Give the split that a name stands for, in any case; None where it stands for none."""
    return _SPLITS.get(name.lower())


def split_names(split: Split) -> tuple[str, ...]:
    """Give the names of a split in lower case, the preferred one first."""
    return tuple(name for group in _KINDS[split] for name in group)


def choose_split(split: Split, present: Iterable[str], place: str) -> str | None:
    """Choose among the names that a place has the one of a split.

    Args:
        split: which one; `test` takes a name of validation where there is none of test.
        present: names, in any case.
        place: for the message.

    Returns:
        One of `present`, or None.

    Raises:
        UserError: two names mean the same split, as `train` and `Training` do.
    """
    names = sorted(present)
    for group in _KINDS[split]:
        found = [name for name in names if name.lower() in group]
        if len(found) > 1:
            raise UserError(
                f"{place} has both {found[0]} and {found[1]}, which mean the same split; join "
                "them or rename one"
            )
        if found:
            return found[0]
    return None


def looks_like_split(name: str) -> Split | None:
    """Give the split that a name like `seg_train`, `test2017` or `valA` hints at, if any."""
    hints = [_ALIKE[word] for word in map(str.lower, _WORD.findall(name)) if word in _ALIKE]
    return hints[0] if hints else None
