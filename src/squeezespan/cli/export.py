"""Write a student for timm, torchvision, ONNX, torch.export or the Hugging Face hub."""

from dataclasses import dataclass
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional, Switch
from squeezespan.exports.formats import FormatName
from squeezespan.files import check_new_folder

__all__ = ["Options", "run"]

_PROG = "squeezespan export"


@dataclass(frozen=True)
class Options:
    """What `squeezespan export` takes."""

    weights: Positional[str]
    """A run folder, finished or not, or a student.safetensors file."""
    format: FormatName
    """What opens it: `timm` and `hub` are timm's folder, `hub` for the Hugging Face hub."""
    out: Path
    """The folder to make: weights or graph, and a model card (README.md)."""
    results: tuple[Path, ...] = ()
    """Files of `squeezespan probe --json` for the card, besides those in the run folder."""
    license: str | None = None
    """For the card, such as apache-2.0; the choice is yours, after the images' and the GAN's."""
    push: str | None = None
    """With `hub`: the repository OWNER/NAME to make, with your token (`hf auth login`)."""
    public: Switch = False
    """With `--push`: a repository that everyone sees; else it is private."""


def run(argv: list[str]) -> None:
    """Run `squeezespan export`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option or the weights are not usable, or a package is missing.
        StorageError: the disk is full.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    check_new_folder(options.out, "--out")
    from squeezespan.exports.export import export

    print(
        export(
            options.weights,
            options.format,
            options.out,
            results=options.results,
            license=options.license,
            push=options.push,
            public=options.public,
        )
    )
