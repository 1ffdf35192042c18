"""Compare the layers of networks by linear CKA: a heat map, numbers, and the paper's claims."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening
from squeezespan.evaluation.analysis_options import CkaOptions
from squeezespan.opening import OpeningConfig

__all__ = ["Options", "run"]

_PROG = "squeezespan analyze cka"


@dataclass(frozen=True, kw_only=True)
class Options(CkaOptions):
    """What `squeezespan analyze cka` takes."""

    out: Path
    """A new folder for the heat map (PNG, PDF, SVG), the matrix (CSV) and all of it (JSON)."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan analyze cka`.

    Args:
        argv: the arguments after `analyze cka`.

    Raises:
        UserError: an option, a network or the images are not usable, or the folder exists.
        StorageError: the disk is full.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    from squeezespan.evaluation.compare_layers import compare_layers
    from squeezespan.reports.analysis import check_analysis_folder, write_cka

    check_analysis_folder(options.out)
    result = compare_layers(options)
    files = write_cka(options.out, result)
    print("\n".join(_lines(result)))
    print(f"\n{', '.join(str(file) for file in files)}")


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['num_images']} images, {result['images']}; {result['settings']['layers']}"]
    for name, found in result["networks"].items():
        below, above = (
            _share(found[key], found[f"{key}_interval"]) for key in ("below_0.8", "above_0.85")
        )
        lines.append(
            f"{name}: {found['layers']} layers, {found['pairs']} pairs: {below} below 0.8, "
            f"{above} above 0.85"
        )
    if result["constant"]:
        lines.append(f"constant over these images, left out: {', '.join(result['constant'])}")
    for claim in result["claims"]:
        lines += [
            f'{claim["verdict"]}: "{claim["claim"]}"',
            f"    {claim['measured']}: {_share(claim['value'], claim['interval'])}; holds above "
            f"{claim['holds_above']:.0%} ({claim['reading']})",
        ]
    return [*lines, f"intervals: {result['interval']}"]


def _share(share: float, interval: list[float]) -> str:
    low, high = interval
    return f"{share:.1%} ({low:.1%} to {high:.1%})"
