"""`report.html` of a run folder: how the training went, on which images, with which settings."""

from pathlib import Path
from typing import Any

import torch
from markupsafe import Markup

from squeezespan import __version__
from squeezespan.config import DistillConfig, load_config
from squeezespan.data.images import ImageSet
from squeezespan.distillation.collapse import watches_of
from squeezespan.files import write_text
from squeezespan.generators.base import Generator
from squeezespan.reports.line_chart import Line, line_chart
from squeezespan.reports.metrics import Record, curve, read_metrics, term_names
from squeezespan.reports.page import duration, grouped, render
from squeezespan.reports.pictures import picture_rows
from squeezespan.reports.provenance import (
    describe_generator,
    describe_last_session,
    describe_settings,
)
from squeezespan.reports.samples import Samples, draw_samples

__all__ = ["draw_pictures", "title_of", "write_run_report"]

_METHODS = {
    "squeeze-span": "Squeeze and Span",
    "vicreg": "VICReg",
    "simsiam": "SimSiam",
    "emp-ssl": "EMP-SSL",
    "encoding": "Encoding",
}
_STREAM_COLORS = {
    "real": "var(--blue)",
    "syn": "var(--rose)",
    "mixed": "var(--teal)",
    "squeeze": "var(--amber)",
}
_WHOLE = "var(--ink)"
"""Of what belongs to no stream."""
_STREAM_NAMES = {
    "real": "real images",
    "syn": "generated images",
    "mixed": "both as one",
    "squeeze": "squeeze module",
}
_X_LABEL = "images through the student"
_COLUMNS = 8
_ROWS = 5


def write_run_report(run: Path, images: ImageSet | None, generator: Generator | None) -> Path:
    """Write the report of a run from what its folder holds.

    Args:
        run: a folder with `config.json`, `metrics.jsonl` and `environment.json`.
        images: what the run learns from, to show some; None shows none.
        generator: the run's; None shows no generated images.

    Returns:
        The page's path.

    Raises:
        UserError: the folder lacks a file or has a damaged one.
        StorageError: the disk is full.
    """
    config = load_config(run / "config.json")
    records = read_metrics(run / "metrics.jsonl")
    shows_real = images is not None and config.method.alpha < 1
    page = render(
        "run.html.j2",
        title=f"{title_of(config)}: {run.resolve().name}",
        version=__version__,
        summary=_summary(config),
        tiles=_tiles(records, config),
        warnings=_warnings(records, config),
        curves=_curves(records, config.train.batch_size),
        streams=_streams(records),
        squeezed=any("target_std" in record for record in records),
        pictures=draw_pictures(config, images if shows_real else None, generator),
        changed=describe_settings(config, DistillConfig()),
        settings=describe_settings(config),
        provenance=describe_last_session(run)
        + (describe_generator(config.gan) if config.gan and config.method.alpha else []),
    )
    path = run / "report.html"
    write_text(path, page)
    return path


def _warnings(records: list[Record], config: DistillConfig) -> list[str]:
    """What had collapsed in the last logged step."""
    trained = [record for record in records if record["kind"] == "train"]
    return [
        watch.verdict
        for watch in watches_of(config.method)
        if trained and trained[-1].get(watch.name)
    ]


def draw_pictures(
    config: DistillConfig, images: ImageSet | None, generator: Generator | None
) -> dict[str, Any] | None:
    """Draw the pictures of the template's `shown` macro.

    Args:
        config: settings of a run that uses both sources given.
        images: real ones; None leaves them out.
        generator: None leaves generated images out.

    Returns:
        `samples` and `views`, each a list of (data URI, caption); None without any source.
    """
    samples: list[tuple[str, str]] = []
    views: list[tuple[str, str]] = []
    sources = (
        (images, f"Real images of {config.data}"),
        (generator, "Images that the GAN draws"),
    )
    for source, caption in sources:
        if source is None:
            continue
        drawn = draw_samples(config, source, count=_COLUMNS * _ROWS, viewed=_COLUMNS)
        whole = len(drawn.images) // _COLUMNS * _COLUMNS or len(drawn.images)
        rows = torch.split(drawn.images[:whole], _COLUMNS)
        samples.append((picture_rows(rows), caption))
        views.append((picture_rows(_beside(drawn)), f"{caption}, each with two views of it"))
    return {"samples": samples, "views": views} if samples else None


def _beside(drawn: Samples) -> list[Any]:
    first, second = drawn.views
    originals = drawn.images[: len(first)]
    if originals.shape == first.shape:
        return [originals, first, second]
    return [first, second]


def title_of(config: DistillConfig) -> str:
    """Give the method of a run as the paper calls it."""
    method = config.method
    if method.name == "squeeze-span" and method.alpha == 1:
        return "Vanilla distillation" if method.target == "raw" else "Squeeze"
    return _METHODS[method.name]


def _summary(config: DistillConfig) -> str:
    method = config.method
    real = f"real images of {config.data}"
    generated = f"images that {config.gan} draws"
    if method.alpha == 0:
        images = real
    elif method.alpha == 1:
        images = generated
    else:
        images = f"{real} and {generated} ({method.alpha:.0%} of each batch)"
    told = ""
    if config.discriminator is not None:
        told = f" Of the real ones it also learns what {config.discriminator} says."
    if method.name == "encoding" and method.perceptual != "none":
        told = (
            f" Images made again are compared by {method.perceptual}, which saw ImageNet's labels."
        )
    return f"A {config.student.arch} trained without labels on {images}.{told}"


def _tiles(records: list[Record], config: DistillConfig) -> list[tuple[str, str]]:
    batch = config.train.batch_size
    tiles = []
    knn = [record for record in records if record["kind"] == "knn"]
    train = [record for record in records if record["kind"] == "train"]
    if knn:
        last = knn[-1]
        words = (
            f"of the images held out of train are classified correctly by their neighbours "
            f"(95% interval {last['knn_low']:.1%} to {last['knn_high']:.1%})"
        )
        tiles.append((f"{last['knn_accuracy']:.1%}", words))
    if train:
        last = train[-1]
        words = f"images through the student, in {last['step']} steps of {batch}"
        tiles.append((grouped(last["step"] * batch), words))
        tiles.append((duration(last["seconds"]), f"of training, {last['epoch']:.3g} epochs"))
        tiles.append((f"{last['loss']:.3g}", "loss of the last step"))
    return tiles


def _curves(records: list[Record], batch: int) -> list[Markup]:
    def line(name: str, color: str, shown: str | None = None) -> Line:
        return Line(shown or name, color, curve(records, "train", name, batch))

    accuracy = Line(
        "kNN",
        _WHOLE,
        curve(records, "knn", "knn_accuracy", batch),
        [
            (record["step"] * batch, record["knn_low"], record["knn_high"])
            for record in records
            if record["kind"] == "knn"
        ],
        dots=True,
    )
    drawn = [
        line_chart([line("loss", _WHOLE)], title="loss", x_label=_X_LABEL),
        line_chart([accuracy], title="kNN on held-out images", x_label=_X_LABEL, percent=True),
    ]
    terms: dict[str, list[Line]] = {}
    for name in term_names(records):
        stream, _, term = name.rpartition("/")
        terms.setdefault(term, []).append(line(name, _STREAM_COLORS.get(stream, "var(--gray)")))
    for term, lines in terms.items():
        drawn.append(line_chart(lines, title=term.replace("_", " "), x_label=_X_LABEL))
    drawn += [
        line_chart(
            [line("embedding_std", _WHOLE)],
            title="std of the embedding",
            x_label=_X_LABEL,
        ),
        line_chart(
            [line("target_std", _STREAM_COLORS["squeeze"])],
            title="std of the target",
            x_label=_X_LABEL,
        ),
        line_chart([line("lr", _WHOLE)], title="learning rate", x_label=_X_LABEL),
    ]
    return [chart for chart in drawn if chart is not None]


def _streams(records: list[Record]) -> list[tuple[str, str]]:
    """Give the names and colors of the streams whose terms were logged."""
    logged = {name.rpartition("/")[0] for name in term_names(records)}
    return [
        (name, _STREAM_COLORS[stream]) for stream, name in _STREAM_NAMES.items() if stream in logged
    ]
