"""Write the features of every image, with names and labels, to a file."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import tyro

from squeezespan.cli.arguments import parse
from squeezespan.embedding.options import EmbedOptions

__all__ = ["run"]

_PROG = "squeezespan embed"


@dataclass(frozen=True)
class _Options(EmbedOptions):
    weights: Annotated[str, tyro.conf.Positional] = tyro.MISSING
    """A run folder, or a student.safetensors file."""
    data: str = tyro.MISSING
    """Data spec of the images, such as folder:PATH; they need no labels."""
    out: Path = tyro.MISSING
    """A new file in .npz, .parquet or .csv."""
    skip_broken: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Leave images out that can't be decoded, and say so, instead of stopping at the first."""


def run(argv: list[str]) -> None:
    """Run `squeezespan embed`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the weights, the images or the file are not usable.
        StorageError: the file could not be written.
    """
    options = parse(_Options, argv, prog=_PROG, description=__doc__ or "")
    from squeezespan.embedding.embed import embed

    settings = {field.name: getattr(options, field.name) for field in fields(EmbedOptions)}
    print(embed(options.weights, options.data, options.out, **settings))
