"""Lay features of networks out on maps (UMAP, t-SNE or PCA), colored by class."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.gan.opening import Opening
from squeezespan.evaluation.analysis_options import MapOptions
from squeezespan.opening import OpeningConfig

__all__ = ["Options", "run"]

_PROG = "squeezespan analyze map"


@dataclass(frozen=True, kw_only=True)
class Options(MapOptions):
    """What `squeezespan analyze map` takes."""

    out: Path
    """A new folder for the maps (PNG, PDF, SVG), the points (CSV) and the figures (JSON)."""
    opening: Opening = field(default_factory=OpeningConfig)


def run(argv: list[str]) -> None:
    """Run `squeezespan analyze map`.

    Args:
        argv: the arguments after `analyze map`.

    Raises:
        UserError: an option, a network, the images or their labels are not usable, or the folder
            exists.
        StorageError: the disk is full.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    from squeezespan.evaluation.map_features import map_features
    from squeezespan.reports.analysis import check_analysis_folder, write_maps

    check_analysis_folder(options.out)
    result = map_features(options)
    files = write_maps(options.out, result)
    print("\n".join(_lines(result)))
    print(f"\n{', '.join(str(file) for file in files)}")


def _lines(result: dict[str, Any]) -> list[str]:
    lines = []
    for one in result["maps"]:
        low, high = one["knn_interval"]
        silhouette = "none" if one["silhouette"] is None else f"{one['silhouette']:.3f}"
        lines.append(
            f"{one['features']} ({one['dimensions']}), {len(one['labels'])} {one['images']} "
            f"images: neighbours right {one['knn']:.1%} ({low:.1%} to {high:.1%}), silhouette "
            f"{silhouette}"
        )
    if any(one["images"] == "generated" for one in result["maps"]):
        lines.append(f"classes of generated images: {result['classes']}")
    return lines
