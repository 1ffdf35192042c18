"""Write a grid of generated images as PNG."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening, open_with
from squeezespan.cli.options import Aliases, Positional
from squeezespan.errors import UserError
from squeezespan.files import check_new_file
from squeezespan.opening import OpeningConfig
from squeezespan.settings import Range, Seed

__all__ = ["Options", "run"]

_PROG = "squeezespan gan sample"
_USUAL = 64


@dataclass(frozen=True)
class Options:
    """What `squeezespan gan sample` takes."""

    gan: Positional[str]
    """A generator's checkpoint, or builtin:stylegan2-cifar10."""
    out: Path
    """The PNG file to make; it must not exist."""
    num_images: Annotated[int, Range(1, 10_000)] | None = None
    """64 if left out, or as many as fill the last row of `--columns`."""
    columns: Annotated[int, Range(1)] | None = None
    """Images in a row; a square grid if left out."""
    seed: Seed = 0
    """Equal seeds give equal images; with `--noise random` only for equal batch sizes."""
    truncation: Annotated[float, Range(0, 2)] = 1.0
    """Pulls w towards its average: 1 leaves it alone, smaller is cleaner and less varied. It
    scales z where there is no mapping network."""
    label: Annotated[tuple[Annotated[int, Range(0)], ...], Aliases("--labels", "--class")] = ()
    """Classes of a conditional generator's images, which take turns: one for all, or as many as
    there are columns for a class a column; random classes if left out, as often as its images
    had them where its file tells."""
    noise: Literal["const", "random", "none"] = "const"
    """Per-pixel noise of families that have it."""
    batch_size: Annotated[int, Range(1)] | None = None
    """Images at a time; as many as memory usually holds if left out."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan gan sample`.

    Args:
        argv: the arguments after `gan sample`.

    Raises:
        UserError: an option or the generator is not usable, or the file exists.
        StorageError: the disk is full.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    check_new_file(options.out, "--out")
    if options.out.suffix.lower() != ".png":
        raise UserError(f"{options.out} must end in .png")
    from squeezespan.gan.samples import save_grid
    from squeezespan.generators.registry import say_assumptions
    from squeezespan.hardware import resolve_device

    opened = open_with(options.opening, options.gan, resolve_device(options.device))
    save_grid(options.out, _draw(opened.generator, options), options.columns)
    say_assumptions(options.gan, opened)
    print(options.out)


def _draw(generator: Any, options: Options) -> Any:
    """Generate the images, uint8 [N, C, R, R] on the CPU."""
    from squeezespan.gan.samples import sample_images

    columns, classes = options.columns or 1, options.label
    count = options.num_images or max(_USUAL // columns, 1) * columns
    return sample_images(
        generator,
        count,
        seed=options.seed,
        truncation=options.truncation,
        labels=[classes[place % len(classes)] for place in range(count)] if classes else None,
        noise=options.noise,
        batch_size=options.batch_size,
    )
