"""Measure how close a generator's images are to real ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening
from squeezespan.cli.options import Positional
from squeezespan.files import check_new_file, write_json
from squeezespan.gan.score_options import ScoreOptions
from squeezespan.opening import OpeningConfig
from squeezespan.untrusted.wording import shown

if TYPE_CHECKING:
    from squeezespan.gan.scoring.score_gan import GanScore

__all__ = ["Options", "run"]

_PROG = "squeezespan gan score"


@dataclass(frozen=True, kw_only=True)
class Options(ScoreOptions):
    """What `squeezespan gan score` takes."""

    gan: Positional[str]
    """A generator's checkpoint, or builtin:stylegan2-cifar10."""
    data: str
    """Data spec of the images that it was trained on; their train split is compared with."""
    json: Path | None = None
    """A new file for the result and all that it depends on."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan gan score`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the generator or the data are not usable, or weights are missing.
        StorageError: the result could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    check_new_file(options.json, "--json")
    from squeezespan.gan.scoring.score_gan import score_with

    score = score_with(options.gan, options.data, options)
    print(_table(score))
    if options.json is not None:
        write_json(options.json, score.details)


def _table(score: "GanScore") -> str:
    told: dict[str, Any] = score.details
    rows = [
        (score.metric, f"{score.frechet:.3f}"),
        ("kernel distance x 1000", f"{1000 * score.kernel:.3f}"),
        ("precision", f"{score.precision:.2%}"),
        ("recall", f"{score.recall:.2%}"),
        ("images", f"{told['num_images']} generated, {told['num_real']} real"),
        ("data", f"{told['data']}: {told['real_images']}"),
        ("run", f"seed {told['seed']}, {told['seconds']:g} s, {told['device']}"),
    ]
    rows += [("it saw", shown(item, 300)) for item in told.get("saw", ())]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)
