"""Write the features of every image, with names and labels, to a file."""

from dataclasses import dataclass, fields
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional
from squeezespan.embedding.options import EmbedOptions

__all__ = ["Options", "run"]

_PROG = "squeezespan embed"


@dataclass(frozen=True, kw_only=True)
class Options(EmbedOptions):
    """What `squeezespan embed` takes."""

    weights: Positional[str]
    """A run folder, or a student.safetensors file."""
    data: str
    """Data spec of the images, such as folder:PATH; they need no labels."""
    out: Path
    """A new file in .npz, .parquet or .csv."""


def run(argv: list[str]) -> None:
    """Run `squeezespan embed`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the weights, the images or the file are not usable.
        StorageError: the file could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    from squeezespan.embedding.embed import embed

    settings = {field.name: getattr(options, field.name) for field in fields(EmbedOptions)}
    print(embed(options.weights, options.data, options.out, **settings))
