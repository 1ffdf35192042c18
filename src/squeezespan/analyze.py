"""Looking inside networks from Python, one function an analysis.

    squeezespan.analyze.cka("layers", gan="GAN.safetensors", student=["runs/mine"])["claims"]

Each function takes a new folder, into which figure and numbers are written (None writes nothing),
and the settings of `squeezespan analyze`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from squeezespan.evaluation.analysis_options import CkaOptions, MapOptions
from squeezespan.evaluation.compare_layers import compare_layers
from squeezespan.evaluation.map_features import map_features
from squeezespan.reports.analysis import check_analysis_folder, write_cka, write_maps
from squeezespan.results import CkaResult, MapResult
from squeezespan.settings import Setting, from_dict

__all__ = ["cka", "map"]

_Options = TypeVar("_Options")


def cka(out: str | Path | None = None, **settings: Setting | Mapping[str, Setting]) -> CkaResult:
    """Compare the layers of a generator, a discriminator and students by linear CKA.

    Args:
        out: a new folder for the heat map (PNG, PDF, SVG), the matrix (CSV) and all of it (JSON).
        settings: fields of `CkaOptions`, such as `gan`, `student` (a list), `data`, `layers`.

    Returns:
        As `squeezespan.evaluation.compare_layers.compare_layers`.

    Raises:
        UserError: networks or images are missing or don't fit, or the folder has something in it.
        StorageError: the disk is full or read-only.
    """
    options = from_dict(CkaOptions, settings, where="analyze.cka")
    return cast(CkaResult, _analyze(out, compare_layers, options, write_cka))


def map(out: str | Path | None = None, **settings: Setting | Mapping[str, Setting]) -> MapResult:
    """Lay the features of a generator, a discriminator and students out on maps, by class.

    Args:
        out: a new folder for the maps (PNG, PDF, SVG), the points (CSV) and the figures (JSON).
        settings: fields of `MapOptions`, such as `gan`, `student` (a list), `data`, `method`.

    Returns:
        As `squeezespan.evaluation.map_features.map_features`.

    Raises:
        UserError: networks, images or labels are missing or don't fit, or the folder has something
            in it.
        StorageError: the disk is full or read-only.
    """
    options = from_dict(MapOptions, settings, where="analyze.map")
    return cast(MapResult, _analyze(out, map_features, options, write_maps))


def _analyze(
    out: str | Path | None,
    compute: Callable[[_Options], dict[str, Any]],
    options: _Options,
    write: Callable[[Path, dict[str, Any]], object],
) -> dict[str, Any]:
    if out is not None:
        check_analysis_folder(Path(out))
    result = compute(options)
    if out is not None:
        write(Path(out), result)
    return result
