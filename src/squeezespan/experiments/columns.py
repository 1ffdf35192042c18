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

    discriminator: str | None = None
    """The file of the discriminator that the generator was trained against; None: unknown."""

    @property
    def images(self) -> str:
        """What the images are known by in folders, whatever a table calls them."""
        return _own_name(self.data)


def columns_from(
    data: Sequence[str], gans: Sequence[str], discriminators: Sequence[str] = ()
) -> tuple[Column, ...]:
    """Pair data sets with generators, and these with their discriminators.

    Args:
        data: `NAME=SPEC`, or a spec alone: the kind of official files names them, and else the
            last part of the path.
        gans: one for each data set, or one for all.
        discriminators: as `gans`; if none is named, a generator's own file is taken to hold its
            discriminator, too, as the published ones do. The shipped one's does not.

    Raises:
        UserError: another number of generators than of data sets, or two of one name.
    """
    if not data:
        raise UserError("--data names no images")
    teachers = _for_each(data, gans, "--gan", "generators")
    judges: Sequence[str | None] = [None if gan.startswith("builtin:") else gan for gan in teachers]
    if discriminators:
        judges = _for_each(data, discriminators, "--discriminator", "discriminators")
    columns = [
        Column(*_named(spec), gan, discriminator)
        for spec, gan, discriminator in zip(data, teachers, judges, strict=True)
    ]
    for place, column in enumerate(columns):
        if column.name in (other.name for other in columns[:place]):
            raise UserError(
                f"--data has two data sets called {column.name}; write NAME={column.data} for one"
            )
    return tuple(columns)


def _for_each(data: Sequence[str], files: Sequence[str], flag: str, kind: str) -> Sequence[str]:
    if len(files) not in (1, len(data)):
        raise UserError(
            f"{flag} names {len(files)} {kind} for the {len(data)} data sets of --data; give one "
            "for each, in their order, or one for all"
        )
    return list(files) * len(data) if len(files) == 1 else files


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
