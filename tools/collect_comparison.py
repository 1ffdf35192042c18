"""Put the runs of a comparison and their probes into one folder of `results/`.

    python tools/collect_comparison.py results/NAME RUN...

Every run is a folder of `squeezespan distill` in which `squeezespan probe --json` has left
`probe-knn.json`, `probe-linear.json` or others of that form. The folder gets `accuracies.csv`, one
line a run and protocol (where a run was probed), and `curves.csv`, the checks on images held out of
train on the way, each with the images that the run had seen and their passes through the student.
"""

import argparse
import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def main() -> None:
    """Read the arguments and write both tables."""
    parser = argparse.ArgumentParser(description="Collect the runs of a comparison.")
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    accuracies = [row for run in arguments.runs for row in _accuracies(run)]
    curves = [row for run in arguments.runs for row in _curve(run)]
    if accuracies:
        _write(arguments.out / "accuracies.csv", accuracies)
    _write(arguments.out / "curves.csv", curves)


def _accuracies(run: Path) -> Iterable[dict[str, Any]]:
    trained = [line for line in _metrics(run) if line["kind"] == "train"][-1]
    for path in sorted(run.glob("probe-*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        low, high = result["interval"]
        method = result["provenance"]["method"]
        yield {
            "run": run.name,
            "method": method["name"],
            "alpha": method["alpha"],
            "seed": result["provenance"]["seed"],
            "protocol": result["protocol"],
            "settings": " ".join(f"{k}={v}" for k, v in result["settings"].items() if v),
            "accuracy": f"{result['accuracy']:.4f}",
            "interval_low": f"{low:.4f}",
            "interval_high": f"{high:.4f}",
            "images": trained["images"],
            "train_seconds": round(trained["seconds"]),
            "device": result["hardware"],
            "precision": result["precision"],
            "torch": result["versions"]["torch"],
            "train_commit": result["provenance"]["commit"][:10],
            "date": result["date"][:10],
        }


def _curve(run: Path) -> Iterable[dict[str, Any]]:
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    batch, alpha = config["train"]["batch_size"], config["method"]["alpha"]
    synthetic_views = 1 if config["method"]["name"] == "squeeze-span" else 2
    views = alpha * synthetic_views + (1 - alpha) * 2
    for line in _metrics(run):
        if line["kind"] == "knn":
            yield {
                "run": run.name,
                "step": line["step"],
                "epoch": line["epoch"],
                "batch": batch,
                "images": line["step"] * batch,
                "passes": round(line["step"] * batch * views),
                "held_out_knn": f"{line['knn_accuracy']:.4f}",
            }


def _metrics(run: Path) -> list[dict[str, Any]]:
    text = (run / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
