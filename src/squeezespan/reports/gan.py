"""`report.html` of a GAN's training: its images on the way, and how the training went."""

from pathlib import Path

import numpy as np
import torch
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from squeezespan import __version__
from squeezespan.files import write_text
from squeezespan.gan.config import GanTrainConfig, load_gan_config
from squeezespan.reports.line_chart import Line, line_chart
from squeezespan.reports.metrics import Record, read_metrics
from squeezespan.reports.page import duration, render
from squeezespan.reports.pictures import picture_rows
from squeezespan.reports.provenance import (
    describe_generator,
    describe_last_session,
    describe_settings,
)

__all__ = ["REAL_SHOWN", "write_gan_report"]

Chart = tuple[Markup, list[tuple[str, str]]]
"""A chart with the names and colors of its curves, where they are several."""

_COLUMNS = 8
_ROWS = 5
REAL_SHOWN = _COLUMNS * _ROWS
"""Real images that a page has room for."""
_MOMENTS = 6
_CHARTS = (
    (
        "loss",
        (
            ("generator", "loss/generator", "var(--rose)"),
            ("discriminator", "loss/discriminator", "var(--teal)"),
        ),
    ),
    (
        "loss of the student's heads",
        (
            ("generator", "loss/aid_generator", "var(--rose)"),
            ("heads", "loss/aid_discriminator", "var(--teal)"),
        ),
    ),
    (
        "discriminator's output",
        (
            ("real images", "logits/real", "var(--blue)"),
            ("its images", "logits/fake", "var(--rose)"),
        ),
    ),
    (
        "gradient penalty",
        (
            ("R1, at real images", "r1", "var(--blue)"),
            ("R2, at its images", "r2", "var(--rose)"),
        ),
    ),
    ("path-length penalty", (("path length", "path_length", "var(--ink)"),)),
    ("augmentation p", (("p", "augment_p", "var(--ink)"),)),
)
"""Title, and name, number and color of each curve: rose is what the generator makes, blue is real,
as on the pages of students."""
_SHARES = (("precision", "var(--ink)"), ("recall", "var(--amber)"))


def write_gan_report(run: Path, real: Tensor | None) -> Path:
    """Write the report of a GAN's training from what its folder holds so far.

    Args:
        run: a folder with `config.json`, `metrics.jsonl`, `environment.json` and `samples/`.
        real: some real images, uint8 [N, 3, R, R], shown beside the generated ones; None shows
            none.

    Returns:
        The page's path.

    Raises:
        UserError: the folder lacks a file or has a damaged one.
        StorageError: the disk is full.
    """
    config = load_gan_config(run / "config.json")
    lines = read_metrics(run / "metrics.jsonl")
    records = [line for line in lines if line["kind"] == "train"]
    snapshots = [line for line in lines if line["kind"] == "snapshot"]
    # Pictures of other names are the user's own.
    grids = sorted((run / "samples").glob("[0-9]*.png"), key=lambda path: float(path.stem))
    page = render(
        "gan.html.j2",
        title=f"GAN training: {run.resolve().name}",
        version=__version__,
        summary=_summary(config),
        tiles=_score_tiles(snapshots) + _tiles(records, config),
        samples=([] if real is None else [(_rows(real), f"Real images of {config.data}")])
        + [
            (_rows(_cells(grids[-1], config.side)), "Images that the GAN draws"),
        ],
        course=_course(grids, config.side),
        scores=_scores(snapshots),
        curves=_curves(records),
        changed=describe_settings(config, GanTrainConfig()),
        settings=describe_settings(config),
        provenance=describe_last_session(run) + _seen(run),
    )
    path = run / "report.html"
    write_text(path, page)
    return path


def _summary(config: GanTrainConfig) -> str:
    kind = "StyleGAN2" if config.generator.family == "stylegan2" else "FastGAN"
    kind = f"class-conditional {kind}" if config.conditional else kind
    kind = kind if config.clusters.backbone is None else f"cluster-conditional {kind}"
    size = f"{config.side}x{config.side}"
    judge = ""
    if config.discriminator.family == "projected":
        judge = f", judged by the features of {config.projected.features}"
    elif config.aid.backbone is not None:
        judge = f", judged by the features of {config.aid.backbone}, too"
    return f"A {kind} of {size} images, trained on {config.data}{judge}."


def _seen(run: Path) -> list[tuple[str, str]]:
    """What the GAN has seen besides the images, as its newest snapshot tells."""
    newest = max((run / "snapshots").glob("*.safetensors"), default=None)
    facts = [] if newest is None else describe_generator(str(newest))
    told = [f"GAN: {name}" for name in ("features", "aid", "clusters", "saw")]
    return [fact for fact in facts if fact[0] in told]


def _tiles(records: list[Record], config: GanTrainConfig) -> list[tuple[str, str]]:
    if not records:
        return []
    last = records[-1]
    return [
        (f"{last['kimg']:.4g}", "thousand real images shown to the discriminator"),
        (f"{last['images_per_second']:.4g}", "images a second"),
        (duration(last["seconds"]), f"of training, {last['step']} steps"),
        (f"{last['augment_p']:.3g}", "probability p of an augmentation, at the end")
        if config.augment.enabled
        else (_fixed_augmentation(config), "augmentation of the discriminator's images"),
    ]


def _fixed_augmentation(config: GanTrainConfig) -> str:
    is_projected = config.discriminator.family == "projected"
    return "DiffAugment" if is_projected and config.projected.diffaugment else "none"


def _kernels(snapshots: list[Record]) -> list[str]:
    """Names of the kernel distances that were measured, the deciding one first."""
    names = dict.fromkeys(name for line in snapshots for name in line)
    return [name for name in names if name.startswith("kernel_") and f"{name}_low" in names]


def _score_tiles(snapshots: list[Record]) -> list[tuple[str, str]]:
    if not (kernels := _kernels(snapshots)):
        return []
    name = kernels[0]
    best = min(snapshots, key=lambda line: float(line[name]))
    shown, low, high = (1000 * best[key] for key in (name, f"{name}_low", f"{name}_high"))
    words = (
        f"kernel distance x 1000 to held-out images (95% interval {low:.3g} to {high:.3g}), "
        f"the lowest so far, after {best['kimg']:.4g} thousand images: best.safetensors"
    )
    return [(f"{shown:.3g}", words)]


def _scores(snapshots: list[Record]) -> list[Chart]:
    """Charts of what was measured at snapshots."""
    drawn: list[Chart | None] = []
    for name in _kernels(snapshots):
        judge = name.removeprefix("kernel_")
        points = [(line["kimg"], 1000 * line[name]) for line in snapshots]
        band = [
            (line["kimg"], 1000 * line[f"{name}_low"], 1000 * line[f"{name}_high"])
            for line in snapshots
        ]
        distance = Line("kernel distance", "var(--ink)", points, band, dots=True)
        drawn.append(_chart([distance], f"kernel distance x 1000 by {judge}"))
        frechet = [(line["kimg"], line[f"frechet_{judge}"]) for line in snapshots]
        gaussian = Line("Frechet distance", "var(--ink)", frechet, dots=True)
        drawn.append(_chart([gaussian], f"Frechet distance by {judge}"))
        shares = [
            Line(word, color, [(line["kimg"], line[f"{word}_{judge}"]) for line in snapshots])
            for word, color in _SHARES
        ]
        drawn.append(_chart(shares, f"precision and recall by {judge}", percent=True))
    return [chart for chart in drawn if chart is not None]


def _curves(records: list[Record]) -> list[Chart]:
    """Charts of what was logged."""
    drawn = []
    for title, named in _CHARTS:
        lines = [
            Line(shown, color, [(r["kimg"], r[name]) for r in records if name in r])
            for shown, name, color in named
        ]
        drawn.append(_chart(lines, title))
    return [chart for chart in drawn if chart is not None]


def _chart(lines: list[Line], title: str, *, percent: bool = False) -> Chart | None:
    chart = line_chart(lines, title=title, x_label="thousand real images", percent=percent)
    if chart is None:
        return None
    return chart, [(line.name, line.color) for line in lines if len(lines) > 1]


def _course(grids: list[Path], resolution: int) -> tuple[str, str]:
    """Show the same latents at moments spread over the training, as (picture, caption)."""
    places = np.linspace(0, len(grids) - 1, min(len(grids), _MOMENTS)).round().astype(int)
    chosen = [grids[place] for place in places]
    rows = [_cells(grid, resolution)[:_COLUMNS] for grid in chosen]
    kimg = ", ".join(f"{float(grid.stem):g}" for grid in chosen)
    return picture_rows(rows), f"From top to bottom: after {kimg} thousand real images"


def _cells(grid: Path, resolution: int) -> Tensor:
    """Take a grid of square images apart, uint8 [N, 3, R, R], row by row."""
    with Image.open(grid) as image:
        pixels = torch.from_numpy(np.array(image.convert("RGB")))
    rows, columns = pixels.shape[0] // resolution, pixels.shape[1] // resolution
    cells = pixels.view(rows, resolution, columns, resolution, 3)
    return cells.permute(0, 2, 4, 1, 3).reshape(rows * columns, 3, resolution, resolution)


def _rows(images: Tensor) -> str:
    shown = min(len(images), _COLUMNS * _ROWS)
    whole = shown // _COLUMNS * _COLUMNS or shown
    return picture_rows(torch.split(images[:whole], _COLUMNS))
