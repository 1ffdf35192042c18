"""Words of the command line as values of an option's type."""

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

__all__ = ["read_words", "takes"]

_KINDS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}
_NONE = "None"


def takes(hint: Any) -> str:
    """Say what an option takes: `INT`, `FLOAT FLOAT`, `{a,b}|None`, nothing for a switch.

    Args:
        hint: the annotation of its field.
    """
    origin, members = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return takes(members[0])
    if origin is Literal:
        return "{" + ",".join(map(str, members)) + "}"
    if origin in (Union, types.UnionType):
        return "|".join(map(takes, members))
    if origin is tuple:
        if members[-1] is Ellipsis:
            return f"[{takes(members[0])} ...]"
        return " ".join(map(takes, members))
    return _NONE if hint is types.NoneType else _KINDS.get(hint, "")


def read_words(hint: Any, words: Sequence[str]) -> Any:
    """Give the value that the words after an option stand for.

    Numbers are as Python reads them; unlike cyclopts', a whole number is never rounded.

    Args:
        hint: the annotation of the option's field.
        words: what was typed.

    Raises:
        ValueError: they are none of its type.
    """
    origin, members = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return read_words(members[0], words)
    if origin in (Union, types.UnionType):
        return _read_first_that_fits(members, words)
    if origin is tuple:
        kinds = (members[0],) * len(words) if members[-1] is Ellipsis else members
        return tuple(read_words(kind, [word]) for kind, word in zip(kinds, words, strict=True))
    (word,) = words
    if origin is Literal:
        return members[[str(choice) for choice in members].index(word)]
    if hint is types.NoneType:
        if word != _NONE:
            raise ValueError
        return None
    return hint(word)


def _read_first_that_fits(kinds: Sequence[Any], words: Sequence[str]) -> Any:
    """Text comes last, as anything is text."""
    for kind in sorted(kinds, key=lambda kind: kind in (str, Path)):
        try:
            return read_words(kind, words)
        except ValueError:
            continue
    raise ValueError
