"""The page of an evaluation: accuracy, what is taken for what, the worst mistakes."""

from pathlib import Path
from typing import Any

from markupsafe import Markup
from torch import Tensor

from squeezespan import __version__
from squeezespan.evaluation.intervals import wilson
from squeezespan.evaluation.judged import Judged
from squeezespan.files import write_text
from squeezespan.reports.interval_bars import Bar, interval_bars
from squeezespan.reports.page import render
from squeezespan.reports.pictures import picture_rows

__all__ = ["write_accuracy_report"]

_TITLES = {
    "knn": "Nearest neighbours",
    "linear": "Linear probe",
    "logistic": "Logistic regression",
    "fewshot": "Logistic regression on few labels",
    "finetune": "Fine-tuning",
}
_MOST_IN_MATRIX = 20
_MOST_CLASSES = 50
_MISTAKES = 24


def write_accuracy_report(path: Path, result: dict[str, Any], judged: Judged) -> None:
    """Write the page of a probe or a fine-tuning.

    Args:
        path: the HTML file to make or replace.
        result: as `evaluation.probe` or `finetune` gives it.
        judged: what the classifier made of every test image.

    Raises:
        StorageError: the disk is full.
    """
    counts = judged.confusion()
    page = render(
        "accuracy.html.j2",
        title=f"{_TITLES[result['protocol']]}: {Path(result['weights']).name}",
        version=__version__,
        result=result,
        draws=len(judged.scores),
        bars=_bars(result),
        rows=_rows(judged, counts)[:_MOST_CLASSES],
        classes=len(judged.class_names),
        matrix=_matrix(judged, counts) if len(judged.class_names) <= _MOST_IN_MATRIX else None,
        mistakes=_mistakes(judged),
        facts=_facts(result),
    )
    write_text(path, page)


def _bars(result: dict[str, Any]) -> Markup:
    name = _TITLES[result["protocol"]]
    bars = [Bar(name, "var(--rose)", result["accuracy"], *result["interval"])]
    if "probe" in result:
        probe = result["probe"]
        title = "Logistic regression on the same labels"
        bars.insert(0, Bar(title, "var(--blue)", probe["accuracy"], *probe["interval"]))
    return interval_bars(bars, title="Test images hit", chance=1 / result["classes"])


def _rows(judged: Judged, counts: Tensor) -> list[dict[str, Any]]:
    """Give the classes that the test set has, those with the fewest hits first."""
    rows = []
    for label, name in enumerate(judged.class_names):
        total, right = int(counts[label].sum()), int(counts[label, label])
        if not total:
            continue
        others = counts[label].clone()
        others[label] = 0
        worst = int(others.argmax())
        draws = len(judged.scores)
        rows.append(
            {
                "name": name,
                "images": total // draws,
                "share": right / total,
                # Draws share their test images, so that they are no independent trials.
                "interval": wilson(right, total) if draws == 1 else None,
                "taken_for": judged.class_names[worst] if others[worst] else None,
                "taken_share": int(others[worst]) / total,
            }
        )
    return sorted(rows, key=lambda row: row["share"])


def _matrix(judged: Judged, counts: Tensor) -> list[tuple[str, list[tuple[float, bool]]]]:
    """Give for each true class the shares that are taken for each class, and which are hits."""
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return [
        (name, [(float(share), place == label) for place, share in enumerate(shares[label])])
        for label, name in enumerate(judged.class_names)
    ]


def _mistakes(judged: Judged) -> list[tuple[str, str]]:
    shown = []
    for row, taken_for in judged.worst(_MISTAKES):
        own = judged.class_names[int(judged.labels[row])]
        image = judged.images.batch(judged.labels.new_tensor([row])).cpu()
        shown.append((picture_rows([image]), f"{own}, taken for {judged.class_names[taken_for]}"))
    return shown


def _facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    settings = {name: value for name, value in result["settings"].items() if value is not None}
    facts = [
        ("Data", result["data"]),
        ("Weights", f"{result['weights']} ({result['arch']}, {result['resolution']} pixels)"),
        ("Labelled images", str(result["n_train"])),
        ("Test", result["test_images"]),
        ("Settings", ", ".join(f"{name} {value}" for name, value in settings.items())),
        ("Seed", str(result["seed"])),
        ("Device", f"{result['device']} ({result['hardware']}) in {result['precision']}"),
        ("Date", result["date"]),
        ("Commit", str(result["commit"])),
        ("Versions", ", ".join(f"{k} {v}" for k, v in result["versions"].items() if v)),
    ]
    saw = (result["provenance"] or {}).get("saw") or ()
    return facts + [("It saw", str(item)[:300]) for item in saw]
