"""Choose the settings of the mini presets: the same trials for every method, on held-out images.

    python tools/search_mini.py run --data folder:cifar10 --out runs/search
    python tools/search_mini.py collect --out runs/search results/mini-cifar10/search.csv

A trial is a run of 1,400 steps of `squeezespan distill` with one thing changed, of seed 0; it is
judged by kNN and logistic regression on the 5,000 train images that no method learns from, and no
test image is read. The same command in a second terminal shares the work.
"""

import argparse
import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from cells import Cell, Changes, last_line, run_cells

from squeezespan import load_backbone
from squeezespan.config import DistillConfig
from squeezespan.distillation.images import open_run_images
from squeezespan.environment import environment
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.protocols import evaluate_features, extract_split
from squeezespan.hardware import cpu_name

STEPS = 1400
RESULT = "trial.json"

ARMS = {
    "vicreg-real": "vicreg-real-mini",
    "vicreg-mixed": "vicreg-mixed-mini",
    "simsiam-real": "simsiam-real-mini",
    "squeeze": "squeeze-mini",
    "squeeze-span": "squeeze-span-mini",
    "squeeze-span-paper": "squeeze-span-paper-mini",
}
"""Method to the preset that it begins with."""
BASE: Changes = {
    "optim": {"base_lr": 0.2},
    "augment": {"crop_scale": [0.2, 1.0], "jitter": 0.8, "grayscale": 0.2},
    "train": {"max_steps": STEPS, "seed": 0, "num_workers": 0},
    "monitor": {"knn_every": 0},
}
"""What the trials change one of, whatever the presets have become since."""
TRIALS: dict[str, Changes] = {
    "base": {},
    "weak-augmentation": {"augment": {"crop_scale": [0.35, 1.0], "jitter": 0.4, "grayscale": 0.1}},
    "rate-0.4": {"optim": {"base_lr": 0.4}},
    "weights": {},
    "rate-0.1": {"optim": {"base_lr": 0.1}},
}
WEIGHTS: dict[str, Changes] = {
    "vicreg-real": {"method": {"covariance": 0.25}},
    "vicreg-mixed": {"method": {"covariance": 0.25}},
    "simsiam-real": {"method": {"embed_dim": 2048, "predictor_dim": 512}},
    "squeeze": {"method": {"invariance": 10.0}},
    "squeeze-span": {"method": {"covariance": 0.25}},
    "squeeze-span-paper": {"method": {"covariance": 0.25}},
}
"""The trial `weights` of each method; SimSiam has none, and gets wider layers."""
CELLS = [
    Cell(
        f"{arm}--{trial}",
        preset,
        (BASE, WEIGHTS[arm] if trial == "weights" else changes),
        {"method": arm, "trial": trial, "steps": STEPS, "seed": 0},
    )
    for trial, changes in TRIALS.items()
    for arm, preset in ARMS.items()
]


def judge(cell: Cell, config: DistillConfig, folder: Path) -> Mapping[str, Any]:
    """Measure a finished trial on the images held out of train.

    Args:
        cell: the trial.
        config: its settings.
        folder: its run.
    """
    device = torch.device("cpu")
    backbone = load_backbone(folder)
    backbone.network.to(memory_format=torch.channels_last)
    watched = replace(config, monitor=replace(config.monitor, knn_every=1))
    images = open_run_images(watched, device).knn
    assert images is not None
    options = ProbeOptions()
    split = extract_split(backbone, images.neighbors, images.queries, options, device)
    numbers: dict[str, Any] = {}
    for protocol in ("knn", "logistic"):
        found = evaluate_features(split, protocol, options)
        low, high = found["interval"]
        numbers |= {protocol: found["accuracy"], f"{protocol}_low": low, f"{protocol}_high": high}
    machine, last = environment(), last_line(folder)
    saved = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return {
        **{name: f"{number:.4f}" for name, number in numbers.items()},
        "held_out_images": len(images.queries),
        "embedding_std": f"{last['embedding_std']:.3f}",
        "seconds": round(last["seconds"]),
        "device": cpu_name(),
        "precision": saved["train"]["precision"],
        "torch": torch.__version__,
        "commit": str(machine["commit"])[:10],
        "date": str(machine["time"])[:10],
    }


def collect(out: Path, table: Path) -> None:
    """Write the rows of all trials into one CSV, beside those that it holds already.

    Args:
        out: folder of the trials.
        table: the file.
    """
    rows: dict[str, dict[str, Any]] = {}
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            rows = {f"{row['method']}--{row['trial']}": row for row in csv.DictReader(file)}
    for path in out.glob(f"*/{RESULT}"):
        rows[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
    found = [rows[cell.name] for cell in CELLS if cell.name in rows]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, found[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def main() -> None:
    """Read the arguments, then run trials or collect them."""
    parser = argparse.ArgumentParser(description="Search the settings of the mini presets.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--data", required=True)
    run.add_argument("--out", type=Path, required=True)
    gather = commands.add_parser("collect")
    gather.add_argument("--out", type=Path, required=True)
    gather.add_argument("table", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "collect":
        collect(arguments.out, arguments.table)
    else:
        run_cells(CELLS, arguments.data, arguments.out, judge, RESULT)


if __name__ == "__main__":
    main()
