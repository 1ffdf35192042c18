"""Choose the settings of the mini presets: the same trials for every method, on held-out images.

    python tools/search_mini.py run --data folder:cifar10 --out runs/search --arms simsiam-real
    python tools/search_mini.py collect --out runs/search results/mini-cifar10/search.csv

A trial is a run of 1,400 steps of `squeezespan distill` with one thing changed, of seed 0; it is
judged by kNN and logistic regression on the 5,000 train images that no method learns from, and no
test image is read. Trials that are done are kept, one that was stopped goes on.
"""

import argparse
import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from squeezespan import distill, load_backbone
from squeezespan.config import DistillConfig, config_from_dict
from squeezespan.environment import environment
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.protocols import evaluate_features, extract_split
from squeezespan.hardware import cpu_name
from squeezespan.presets import find_preset
from squeezespan.settings import to_dict
from squeezespan.training.images import open_run_images

STEPS = 1400

Changes = Mapping[str, Mapping[str, Any]]

FIXED_TARGET = {"target": "standardized", "regularize": "student", "embed_dim": None}
LEARNT_TARGET = {"target": "squeeze", "regularize": "both", "embed_dim": 2048}
ARMS: dict[str, tuple[str, Changes]] = {
    "vicreg-real": ("vicreg-real-mini", {}),
    "vicreg-mixed": ("vicreg-mixed-mini", {}),
    "simsiam-real": ("simsiam-real-mini", {}),
    "squeeze-standardized": ("squeeze-mini", {"method": FIXED_TARGET}),
    "squeeze-span-standardized": ("squeeze-span-mini", {"method": FIXED_TARGET}),
    "squeeze-span-squeeze": ("squeeze-span-mini", {"method": LEARNT_TARGET}),
}
"""Method to the preset that it begins with, and what is always changed."""

BASE: Changes = {
    "optim": {"base_lr": 0.2},
    "augment": {"crop_scale": [0.2, 1.0], "jitter": 0.8, "grayscale": 0.2},
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
    "squeeze-standardized": {"method": {"invariance": 10.0}},
    "squeeze-span-standardized": {"method": {"covariance": 0.25}},
    "squeeze-span-squeeze": {"method": {"covariance": 0.25}},
}
"""The trial `weights` of each method; SimSiam has none, and gets wider layers."""


def trial_config(arm: str, trial: str, data: str) -> DistillConfig:
    """Give the settings of one trial.

    Args:
        arm: of `ARMS`.
        trial: of `TRIALS`.
        data: spec of the real images.
    """
    preset, always = ARMS[arm]
    values = to_dict(find_preset(preset).build())
    values |= {"data": data}
    for changes in (BASE, always, WEIGHTS[arm] if trial == "weights" else TRIALS[trial]):
        for section, settings in changes.items():
            values[section] = values[section] | settings
    values["train"] |= {"max_steps": STEPS, "seed": 0, "num_workers": 0}
    values["monitor"] |= {"knn_every": 0}
    return config_from_dict(values)


def run_trial(arm: str, trial: str, data: str, out: Path) -> None:
    """Train one trial, judge it, and leave `trial.json` in its folder.

    Args:
        arm: of `ARMS`.
        trial: of `TRIALS`.
        data: spec of the real images.
        out: folder of all trials.
    """
    folder = out / f"{arm}--{trial}"
    if (folder / "trial.json").exists():
        return
    config = trial_config(arm, trial, data)
    distill(config, folder, resume=True)
    backbone = load_backbone(folder)
    backbone.network.to(memory_format=torch.channels_last)
    device = torch.device("cpu")
    watched = replace(config, monitor=replace(config.monitor, knn_every=1))
    images = open_run_images(watched, device).knn
    assert images is not None
    options = ProbeOptions()
    split = extract_split(backbone, images.neighbors, images.queries, options, device)
    metrics = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(metrics[-1])
    accuracies = {
        protocol: evaluate_features(split, protocol, options) for protocol in ("knn", "logistic")
    }
    machine = environment()
    row = {
        "method": arm,
        "trial": trial,
        "steps": STEPS,
        "seed": 0,
        **{
            key: value
            for protocol, found in accuracies.items()
            for key, value in (
                (protocol, f"{found['accuracy']:.4f}"),
                (f"{protocol}_low", f"{found['interval'][0]:.4f}"),
                (f"{protocol}_high", f"{found['interval'][1]:.4f}"),
            )
        },
        "held_out_images": len(images.queries),
        "embedding_std": f"{last['embedding_std']:.3f}",
        "seconds": round(last["seconds"]),
        "device": cpu_name(),
        "precision": backbone_precision(folder),
        "torch": torch.__version__,
        "commit": str(machine["commit"])[:10],
        "date": str(machine["time"])[:10],
    }
    (folder / "trial.json").write_text(json.dumps(row), encoding="utf-8")


def backbone_precision(folder: Path) -> str:
    """Give the precision that a run was trained in."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return str(config["train"]["precision"])


def collect(out: Path, table: Path) -> None:
    """Write the rows of all trials into one CSV, beside those that it holds already.

    Args:
        out: folder of the trials.
        table: the file.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            rows = {(row["method"], row["trial"]): row for row in csv.DictReader(file)}
    for path in sorted(out.glob("*/trial.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        rows[row["method"], row["trial"]] = row
    order = [(arm, trial) for arm in ARMS for trial in TRIALS if (arm, trial) in rows]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[order[0]].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in order)


def main() -> None:
    """Read the arguments, then run trials or collect them."""
    parser = argparse.ArgumentParser(description="Search the settings of the mini presets.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--data", required=True)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    run.add_argument("--trials", nargs="+", choices=list(TRIALS), default=list(TRIALS))
    gather = commands.add_parser("collect")
    gather.add_argument("--out", type=Path, required=True)
    gather.add_argument("table", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "collect":
        collect(arguments.out, arguments.table)
        return
    for trial in arguments.trials:
        for arm in arguments.arms:
            run_trial(arm, trial, arguments.data, arguments.out)


if __name__ == "__main__":
    main()
