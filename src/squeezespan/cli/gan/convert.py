"""Turn a generator's checkpoint into safetensors that says what it holds."""

from dataclasses import dataclass, field
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening, open_with
from squeezespan.cli.options import Positional
from squeezespan.errors import UserError
from squeezespan.files import check_new_file
from squeezespan.opening import OpeningConfig

__all__ = ["Options", "run"]


@dataclass(frozen=True)
class Options:
    """What `squeezespan gan convert` takes."""

    gan: Positional[str]
    """A generator's checkpoint, or builtin:stylegan2-cifar10."""
    out: Path
    """The .safetensors file to make; it must not exist."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan gan convert`.

    The file keeps what was chosen: a genotype or batch statistics need not be given again.

    Args:
        argv: the arguments after `gan convert`.

    Raises:
        UserError: an option or the checkpoint is not usable, or the file exists.
        StorageError: the disk is full.
    """
    options = parse(Options, argv, prog="squeezespan gan convert", description=__doc__ or "")
    check_new_file(options.out, "--out")
    if options.out.suffix != ".safetensors":
        raise UserError(f"{options.out} must end in .safetensors")
    from squeezespan.generators.registry import save_generator, say_assumptions

    opened = open_with(options.opening, options.gan)
    save_generator(options.out, opened.generator, opened.header.get("provenance", {}))
    say_assumptions(options.gan, opened)
    print(options.out)
