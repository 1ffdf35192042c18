"""Put the runs of a comparison and their probes into one folder of `results/`.

    python tools/collect_comparison.py results/NAME RUN...

Every run is a folder of `squeezespan distill` in which `squeezespan probe --json` has left
`probe-knn.json`, `probe-linear.json` or others of that form. The folder gets

- `accuracies.csv`, one line a run and protocol (where a run was probed);
- `differences.csv`, every pair of methods that were trained equally long: the difference of their
  accuracies, paired over the test images of the seeds that both have, with its 95% interval for
  these seeds, and the one over seeds (Student's t), where there are several;
- `hits.json`, which test images every run got right, so that other pairs can be formed;
- `curves.csv`, the checks on images held out of train on the way, each with the images that the
  run had seen and their passes through the student.
"""

import argparse
import csv
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from squeezespan.evaluation.hits import unpack_hits
from squeezespan.evaluation.intervals import mean_interval


def main() -> None:
    """Read the arguments and write both tables."""
    parser = argparse.ArgumentParser(description="Collect the runs of a comparison.")
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    accuracies = [row for run in arguments.runs for row in _accuracies(run)]
    differences = list(_differences(arguments.runs))
    curves = [row for run in arguments.runs for row in _curve(run)]
    if accuracies:
        _write(arguments.out / "accuracies.csv", accuracies)
        hits = {run.name: {p: r["hits"] for p, r in _probes(run).items()} for run in arguments.runs}
        text = json.dumps(hits, indent=0)
        (arguments.out / "hits.json").write_text(text + "\n", encoding="utf-8")
    if differences:
        _write(arguments.out / "differences.csv", differences)
    _write(arguments.out / "curves.csv", curves)


def _accuracies(run: Path) -> Iterable[dict[str, Any]]:
    trained = [line for line in _metrics(run) if line["kind"] == "train"][-1]
    for result in _probes(run).values():
        low, high = result["interval"]
        method = result["provenance"]["method"]
        yield {
            "run": run.name,
            "method": method["name"],
            "target": method.get("target", "squeeze") if method["name"] == "squeeze-span" else "",
            "alpha": method["alpha"],
            "seed": result["provenance"]["seed"],
            "protocol": result["protocol"],
            "settings": " ".join(f"{k}={v}" for k, v in result["settings"].items() if v),
            "accuracy": f"{result['accuracy']:.4f}",
            "interval_low": f"{low:.4f}",
            "interval_high": f"{high:.4f}",
            "steps": trained["step"],
            "images": trained["images"],
            "passes": round(trained["images"] * _views(method)),
            "train_seconds": round(trained["seconds"]),
            "device": result["hardware"],
            "precision": result["precision"],
            "torch": result["versions"]["torch"],
            "train_commit": result["provenance"]["commit"][:10],
            "date": result["date"][:10],
        }


def _curve(run: Path) -> Iterable[dict[str, Any]]:
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    batch = config["train"]["batch_size"]
    views = _views(config["method"])
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


def _differences(runs: list[Path]) -> Iterable[dict[str, Any]]:
    """Pair the methods, over the seeds that both were trained with."""
    found: dict[tuple[int, str], dict[str, dict[int, Tensor]]] = {}
    for run in runs:
        name = run.name.partition("--")[0]
        for protocol, result in _probes(run).items():
            packed = result["hits"] if isinstance(result["hits"], list) else [result["hits"]]
            right = torch.stack([unpack_hits(hits, result["n_test"]) for hits in packed])
            steps = [line for line in _metrics(run) if line["kind"] == "train"][-1]["step"]
            by_seed = found.setdefault((steps, protocol), {}).setdefault(name, {})
            by_seed[result["provenance"]["seed"]] = right.double().mean(dim=0)
    for (steps, protocol), methods in sorted(found.items()):
        for one, other in itertools.combinations(methods, 2):
            seeds = sorted(methods[one].keys() & methods[other].keys())
            if not seeds:
                continue
            gaps = torch.stack([methods[one][seed] - methods[other][seed] for seed in seeds])
            low, high = mean_interval(gaps.mean(dim=0).tolist())
            row = {
                "steps": steps,
                "protocol": protocol,
                "method": one,
                "against": other,
                "seeds": " ".join(map(str, seeds)),
                "difference": f"{gaps.mean():.4f}",
                "over_images_low": f"{low:.4f}",
                "over_images_high": f"{high:.4f}",
                "over_seeds_low": "",
                "over_seeds_high": "",
            }
            if len(seeds) > 1:
                low, high = mean_interval(gaps.mean(dim=1).tolist())
                row |= {"over_seeds_low": f"{low:.4f}", "over_seeds_high": f"{high:.4f}"}
            yield row


def _probes(run: Path) -> dict[str, dict[str, Any]]:
    found = (json.loads(p.read_text(encoding="utf-8")) for p in sorted(run.glob("probe-*.json")))
    return {result["protocol"]: result for result in found}


def _views(method: dict[str, Any]) -> float:
    """Passes through the student for each image, on average."""
    synthetic_views = 1 if method["name"] == "squeeze-span" else 2
    return float(method["alpha"] * synthetic_views + (1 - method["alpha"]) * 2)


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
