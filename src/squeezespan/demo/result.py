"""The demo's result: `demo.json` and the table on the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from squeezespan.demo.comparison import compare_rows, compared_in_words
from squeezespan.demo.evaluation import PROTOCOLS, Examiner, Outcome
from squeezespan.demo.settings import DemoPlan
from squeezespan.environment import environment
from squeezespan.experiments.catalog.demo import DEMO, RANDOM
from squeezespan.experiments.cells import passes_per_image
from squeezespan.generators.registry import read_generator_header
from squeezespan.presets import find_preset
from squeezespan.reports.metrics import read_metrics
from squeezespan.settings import to_dict

__all__ = ["build_result", "result_table", "spoken_accuracy"]


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
    titles = {arm.key: arm.title for arm in (RANDOM, *DEMO.arms)}
    comparisons = compare_rows(outcomes, plan.options.seed)
    any_outcome = next(iter(outcomes.values()))
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
            # The strength of the penalty is each row's own.
            protocol: {
                **{name: value for name, value in evaluation["settings"].items() if name != "l2"},
                "interval": evaluation["interval_kind"],
            }
            for protocol, evaluation in any_outcome.evaluations.items()
        },
        "plan": to_dict(plan),
        "gan": read_generator_header(plan.options.gan),
        "device": device,
        "environment": environment(),
    }


def _row(key: str, outcome: Outcome, plan: DemoPlan, out: Path) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for protocol, found in outcome.evaluations.items():
        numbers |= {protocol: found["accuracy"], f"{protocol}_interval": found["interval"]}
    if key == RANDOM.key:
        return {
            "method": key,
            "title": RANDOM.title,
            "about": RANDOM.about,
            **numbers,
            "images": 0,
            "views": 0,
            "steps": 0,
            "seconds": 0.0,
            "run": None,
        }
    arm = DEMO.arm(key)
    views = passes_per_image(find_preset(arm.mini).build().method)
    trained = [
        line for line in read_metrics(out / key / "metrics.jsonl") if line["kind"] == "train"
    ]
    return {
        "method": key,
        "title": arm.title,
        "about": arm.about,
        **numbers,
        "images": plan.images_of(key),
        "views": round(plan.images_of(key) * views),
        "steps": plan.steps_of(key),
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
            *(_cell(row[name], row[f"{name}_interval"]) for name in PROTOCOLS),
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
    knn, logistic = (outcome.evaluations[protocol]["accuracy"] for protocol in PROTOCOLS)
    return f"kNN {knn:.1%}, logistic regression {logistic:.1%} of the test images"


def _cell(share: float, interval: list[float]) -> str:
    low, high = interval
    return f"{share * 100:.1f} ({low * 100:.1f} to {high * 100:.1f})"
