"""The demo's `report.html`: its table, and pictures that show what the figures mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from markupsafe import Markup
from torch import Tensor
from torch.nn import functional as F

from squeezespan import __version__
from squeezespan.config import DistillConfig
from squeezespan.data.images import ImageSet
from squeezespan.demo.knowledge import Knowledge
from squeezespan.demo.next_steps import NEXT_STEPS, WITHOUT_GAN
from squeezespan.evaluation.maps import lay_out
from squeezespan.files import write_text
from squeezespan.generators.base import Generator
from squeezespan.reports.interval_bars import Bar, interval_bars
from squeezespan.reports.line_chart import Line, line_chart
from squeezespan.reports.metrics import curve, read_metrics
from squeezespan.reports.page import render
from squeezespan.reports.pictures import picture_rows
from squeezespan.reports.provenance import describe_generator, describe_session
from squeezespan.reports.run import draw_pictures
from squeezespan.reports.scatter import class_color, scatter

__all__ = ["Evidence", "write_demo_report"]

_COLORS = {
    "random": "var(--gray)",
    "vicreg-real": "var(--blue)",
    "vicreg-mixed": "var(--teal)",
    "squeeze": "var(--amber)",
    "squeeze-span": "var(--rose)",
}
_PROTOCOLS = {"knn": "Nearest neighbours (kNN)", "logistic": "Logistic regression"}
_CURVES = (
    ("knn", "knn_accuracy", "kNN on held-out images"),
    ("train", "loss", "loss"),
    ("train", "embedding_std", "std of the embedding"),
)
_X_LABEL = "images through the student"
_MAPPED = 1000
_QUERIES, _NEIGHBORS = 8, 7


@dataclass(frozen=True)
class Evidence:
    """What a report shows beside figures."""

    config: DistillConfig
    """Of a run on real and generated images."""
    generator: Generator
    train: ImageSet
    """Labelled."""
    test: ImageSet
    """Labelled."""
    features: Mapping[str, tuple[Tensor, Tensor]]
    """Name of a student to its features [N, D] of `train` and [M, D] of `test`; the student
    before training first."""
    knowledge: Knowledge
    """What the generator and the trained student say of generated images."""


def write_demo_report(out: Path, result: Mapping[str, Any], evidence: Evidence) -> Path:
    """Write the report of a demo.

    Args:
        out: the demo's folder; the runs that `result` names lie in it.
        result: what goes into `demo.json`.
        evidence: images and features to show.

    Returns:
        The page's path.

    Raises:
        StorageError: the disk is full.
    """
    plan, data = result["plan"], result["data"]
    class_names = data["class_names"]
    page = render(
        "demo.html.j2",
        title="A GAN turned into a backbone",
        version=__version__,
        result=result,
        plan=plan,
        rows=[row | {"color": _COLORS[row["method"]]} for row in result["rows"]],
        titles={row["method"]: row["title"] for row in result["rows"]},
        best={name: max(row[name] for row in result["rows"]) for name in _PROTOCOLS},
        bars=_bars(result),
        curves=_curves(result, out),
        method_legend=[(row["title"], _COLORS[row["method"]]) for row in result["rows"]],
        class_legend=[
            (name, class_color(label, len(class_names))) for label, name in enumerate(class_names)
        ],
        maps=_maps(evidence),
        mapped=min(_MAPPED, len(evidence.test)),
        knowledge=_knowledge(evidence),
        generated=len(evidence.knowledge.labels),
        named_rightly=next(row["knn"] for row in result["rows"] if row["method"] == "vicreg-real"),
        neighbors=_neighbors(evidence),
        pictures=draw_pictures(evidence.config, evidence.train, evidence.generator),
        next_steps=NEXT_STEPS,
        without_gan=WITHOUT_GAN,
        provenance=_provenance(result),
    )
    path = out / "report.html"
    write_text(path, page)
    return path


def _bars(result: Mapping[str, Any]) -> list[Markup]:
    chance = 1 / len(result["data"]["class_names"])
    return [
        interval_bars(
            [
                Bar(row["title"], _COLORS[row["method"]], row[name], *row[f"{name}_interval"])
                for row in result["rows"]
            ],
            title=title,
            chance=chance,
        )
        for name, title in _PROTOCOLS.items()
    ]


def _curves(result: Mapping[str, Any], out: Path) -> list[Markup]:
    batch = result["plan"]["batch_size"]
    records = {
        row["method"]: (row["title"], read_metrics(out / row["run"] / "metrics.jsonl"))
        for row in result["rows"]
        if row["run"]
    }
    drawn = [
        line_chart(
            [
                Line(name, _COLORS[key], curve(lines, kind, number, batch), dots=kind == "knn")
                for key, (name, lines) in records.items()
            ],
            title=title,
            x_label=_X_LABEL,
            percent=kind == "knn",
            narrow=True,
        )
        for kind, number, title in _CURVES
    ]
    return [chart for chart in drawn if chart is not None]


def _maps(evidence: Evidence) -> list[tuple[str, Markup]]:
    chosen = _some(len(evidence.test), _MAPPED)
    labels = _labels(evidence.test)[chosen]
    return [
        (name, _map(evidence, test[chosen], labels, f"{len(chosen)} test images: {name}"))
        for name, (_, test) in evidence.features.items()
    ]


def _knowledge(evidence: Evidence) -> list[tuple[str, Markup]]:
    known = evidence.knowledge
    return [
        (name, _map(evidence, x, known.labels, f"{len(x)} generated images: {name}"))
        for name, x in known.features.items()
    ]


def _map(evidence: Evidence, features: Tensor, labels: Tensor, of: str) -> Markup:
    return scatter(
        lay_out(features, "tsne", evidence.config.train.seed),
        labels,
        evidence.test.class_names,
        title=f"Map of the features of {of}",
    )


def _neighbors(evidence: Evidence) -> list[tuple[str, str, int, int]]:
    """Give for each student its name, a picture, and how many of the neighbours share the class."""
    train_y, test_y = _labels(evidence.train), _labels(evidence.test)
    queries = _first_of_each_class(test_y, _QUERIES)
    pictures = []
    for name, (train_x, test_x) in evidence.features.items():
        similarity = F.normalize(test_x[queries], dim=1) @ F.normalize(train_x, dim=1).T
        nearest = similarity.topk(min(_NEIGHBORS, len(train_x)), dim=1).indices
        same = train_y[nearest] == test_y[queries][:, None]
        rows = [
            torch.cat([evidence.test.batch(query[None]), evidence.train.batch(found)])
            for query, found in zip(queries, nearest, strict=True)
        ]
        marked = [[False, *row] for row in same.tolist()]
        picture = picture_rows(rows, marked=marked, space_after_first=True)
        pictures.append((name, picture, int(same.sum()), same.numel()))
    return pictures


def _first_of_each_class(labels: Tensor, most: int) -> Tensor:
    """Give the first image of each class, of at most so many classes; nothing is picked by eye."""
    present = sorted(set(labels.tolist()))[:most]
    return torch.tensor([int((labels == label).nonzero()[0]) for label in present])


def _some(total: int, most: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(total, generator=generator)[:most].sort().values


def _labels(images: ImageSet) -> Tensor:
    assert images.labels is not None
    return images.labels


def _provenance(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    plan, data = result["plan"], result["data"]
    options = plan["options"]
    speeds = zip(plan["methods"], plan["step_seconds"], strict=True)
    return [
        *describe_session(result["environment"], result["device"]),
        ("Seed", str(options["seed"])),
        ("Precision", options["precision"]),
        ("Data", data["spec"]),
        ("Planned for", f"{options['minutes']:g} minutes"),
        (
            "Measured before",
            ", ".join(f"{key} {seconds:.3g} s" for key, seconds in speeds) + " a step",
        ),
        ("Evaluation", json.dumps(result["protocols"])),
        *describe_generator(options["gan"]),
    ]
