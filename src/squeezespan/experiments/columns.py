"""The data sets of an experiment, each with the generator that was trained on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from squeezespan.errors import UserError

__all__ = ["Column", "columns_from"]

_NAMED_BY_KIND = ("cifar10", "cifar100", "stl10")


@dataclass(frozen=True)
class Column:
    """A data set and its teacher."""

    name: str
    """`cifar10` and the like; the paper's presets and numbers are found by it."""
    data: str
    """Data spec."""
    gan: str
    """A generator's file, or a shipped one's name."""

    @property
    def images(self) -> str:
        """What the images are known by in folders, whatever a table calls them."""
        return _own_name(self.data)


def columns_from(data: Sequence[str], gans: Sequence[str]) -> tuple[Column, ...]:
    """Pair data sets with generators.

    Args:
        data: `NAME=SPEC`, or a spec alone: the kind of official files names them, and else the
            last part of the path.
        gans: one for each data set, or one for all.

    Raises:
        UserError: another number of generators than of data sets, or two of one name.
    """
    if not data:
        raise UserError("--data names no images")
    if len(gans) not in (1, len(data)):
        raise UserError(
            f"--gan names {len(gans)} generators for the {len(data)} data sets of --data; give one "
            "for each, in their order, or one for all"
        )
    teachers = list(gans) * len(data) if len(gans) == 1 else gans
    columns = [Column(*_named(spec), gan) for spec, gan in zip(data, teachers, strict=True)]
    for place, column in enumerate(columns):
        if column.name in (other.name for other in columns[:place]):
            raise UserError(
                f"--data has two data sets called {column.name}; write NAME={column.data} for one"
            )
    return tuple(columns)


def _named(spec: str) -> tuple[str, str]:
    kind, colon, rest = spec.partition(":")
    name, equals, inner = kind.partition("=")
    if equals:
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise UserError(f"--data {spec}: {name!r} is no name; use letters, digits, - and _")
        return name, f"{inner}{colon}{rest}"
    return _own_name(spec), spec


def _own_name(spec: str) -> str:
    kind, _, rest = spec.partition(":")
    if kind in _NAMED_BY_KIND:
        return kind
    last = PurePath(rest.rstrip("/")).name.partition(".")[0] or kind
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in last)
