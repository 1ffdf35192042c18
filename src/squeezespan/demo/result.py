"""The demo's result: `demo.json` and the table on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from squeezespan.demo.comparison import compare_rows, compared_in_words
from squeezespan.demo.evaluation import KNN_K, KNN_TEMPERATURE, Examiner, Outcome
from squeezespan.demo.rows import RANDOM, ROWS
from squeezespan.demo.settings import DemoPlan
from squeezespan.environment import environment
from squeezespan.generators.registry import read_generator_header
from squeezespan.reports.metrics import read_metrics
from squeezespan.settings import to_dict

__all__ = ["build_result", "result_table", "spoken_accuracy"]

_PROTOCOLS = ("knn", "logistic")


def build_result(
    examiner: Examiner,
    plan: DemoPlan,
    outcomes: Mapping[str, Outcome],
    out: Path,
    device: str,
    resumed: bool,
) -> dict[str, Any]:
    """Put together what `demo.json` holds, but for `seconds`.

    Args:
        examiner: whose images the test was on.
        plan: what was trained.
        outcomes: method to what its test said, in the order of the table.
        out: the demo's folder, with the runs in it.
        device: that the demo ran on.
        resumed: whether the demo was stopped in between.
    """
    titles = {RANDOM: "Random init"} | {key: row.title for key, row in ROWS.items()}
    comparisons = compare_rows(outcomes)
    return {
        "rows": [_row(key, outcome, plan, out) for key, outcome in outcomes.items()],
        "comparisons": comparisons,
        "comparisons_in_words": [compared_in_words(one, titles) for one in comparisons],
        "seconds": None,
        "resumed": resumed,
        "data": {
            "spec": plan.options.data,
            "class_names": examiner.class_names,
            "train_images": len(examiner.train),
            "train_images_there_are": examiner.n_train,
            "test_images": len(examiner.test),
            "test_images_there_are": examiner.n_test,
        },
        "protocols": {
            "knn": {
                "k": min(KNN_K, len(examiner.train)),
                "temperature": KNN_TEMPERATURE,
                "interval": "95% Wilson",
            },
            "logistic": {
                "regularization": "chosen on a tenth held out of train",
                "interval": "95% Wilson",
            },
        },
        "plan": to_dict(plan),
        "gan": read_generator_header(plan.options.gan),
        "device": device,
        "environment": environment(),
    }


def _row(key: str, outcome: Outcome, plan: DemoPlan, out: Path) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for protocol in _PROTOCOLS:
        accuracy, interval = outcome.accuracy(protocol)
        numbers |= {protocol: accuracy, f"{protocol}_interval": list(interval)}
    if key == RANDOM:
        about = "The student before any training: all others start from exactly these weights."
        return {
            "method": key,
            "title": "Random init",
            "about": about,
            **numbers,
            "images": 0,
            "views": 0,
            "steps": 0,
            "seconds": 0.0,
            "run": None,
        }
    row = ROWS[key]
    trained = [
        line for line in read_metrics(out / key / "metrics.jsonl") if line["kind"] == "train"
    ]
    return {
        "method": key,
        "title": row.title,
        "about": row.about,
        **numbers,
        "images": plan.images,
        "views": round(plan.images * row.views),
        "steps": plan.steps,
        "seconds": trained[-1]["seconds"],
        "run": key,
    }


def result_table(result: Mapping[str, Any]) -> str:
    """Write the rows as a table for a terminal.

    Args:
        result: from `demo.json`.
    """
    header = ("method", "kNN %", "logistic %", "images", "seconds")
    lines = [
        (
            row["title"],
            *(_cell(row[name], row[f"{name}_interval"]) for name in _PROTOCOLS),
            f"{row['images']}",
            f"{row['seconds']:.1f}",
        )
        for row in result["rows"]
    ]
    widths = [max(len(line[column]) for line in (header, *lines)) for column in range(len(header))]
    ruled = [header, tuple("-" * width for width in widths), *lines]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in ruled
    )


def spoken_accuracy(outcome: Outcome) -> str:
    """Say what a test found, in a few words."""
    knn, logistic = (outcome.accuracy(protocol)[0] for protocol in _PROTOCOLS)
    return f"kNN {knn:.1%}, logistic regression {logistic:.1%} of the test images"


def _cell(share: float, interval: list[float]) -> str:
    low, high = interval
    return f"{share * 100:.1f} ({low * 100:.1f} to {high * 100:.1f})"
