"""The trainings behind results/mini-cifar10: every method, several seeds and lengths, and why.

    python tools/compare_mini.py --data folder:cifar10 --out runs/mini --groups seeds long why
    python tools/collect_comparison.py results/mini-cifar10 runs/mini/*--*

The same command in a second terminal shares the work. Every run is probed on the test images by
kNN, the linear probe on 5 kept views of each image, logistic regression, and logistic regression on
1% of the labels (50 of each class, 3 draws).
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from cells import Cell, Changes, last_line, run_cells

from squeezespan import load_generator
from squeezespan.config import DistillConfig
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.evaluation.probe import probe
from squeezespan.files import write_json
from squeezespan.generators import save_generator
from squeezespan.generators.stylegan2 import StyleGAN2Generator

SEEDS = (0, 1, 2)
OURS = ("squeeze-mini", "squeeze-span-mini")
METHODS = ("squeeze-span-mini", "vicreg-real-mini", "squeeze-mini", "vicreg-mixed-mini")
PAPER = "squeeze-span-paper-mini"
PROBES: dict[Protocol, dict[str, Any]] = {
    "knn": {},
    "linear": {"copies": 5},
    "logistic": {},
    "fewshot": {"shots": 50, "draws": 3},
}
RANDOM_GAN = "random-gan.safetensors"

WHY: dict[str, tuple[str, Changes]] = {
    "squeeze": ("squeeze-mini", {}),
    "squeeze-small-loss": ("squeeze-mini", {"method": {"invariance": 5.0}}),
    "squeeze-latent": ("squeeze-mini", {"source": {"kind": "latent"}}),
    "squeeze-b4-b8": ("squeeze-mini", {"source": {"blocks": "b4-b8"}}),
    "squeeze-b16-b32": ("squeeze-mini", {"source": {"blocks": "b16-b32"}}),
    "squeeze-raw": ("squeeze-mini", {"method": {"target": "raw", "invariance": 1.0}}),
    "squeeze-paper": ("squeeze-paper-mini", {}),
    "squeeze-paper-large-loss": ("squeeze-paper-mini", {"method": {"invariance": 117.0}}),
    "squeeze-paper-narrow": ("squeeze-paper-mini", {"method": {"embed_dim": 592}}),
    "squeeze-paper-student": ("squeeze-paper-mini", {"method": {"regularize": "student"}}),
    "vicreg-real": ("vicreg-real-mini", {}),
    "vicreg-real-narrow": ("vicreg-real-mini", {"method": {"embed_dim": 592}}),
    "squeeze-span": ("squeeze-span-mini", {}),
    "squeeze-span-0.25": ("squeeze-span-mini", {"method": {"alpha": 0.25}}),
    "squeeze-span-0.75": ("squeeze-span-mini", {"method": {"alpha": 0.75}}),
}
"""What separates the fixed target from what comes with it: a larger loss (0.8 * 25 against
0.17 * 25), a narrower embedding; and what it is made of."""
WHY_STEPS = 1400


def main() -> None:
    """Read the arguments and run the cells of the groups that were asked for."""
    parser = argparse.ArgumentParser(description="Train and probe the mini presets.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--groups", nargs="+", choices=["seeds", "long", "why"], required=True)
    arguments = parser.parse_args()
    random_gan = arguments.out / RANDOM_GAN
    if "why" in arguments.groups and not random_gan.exists():
        make_random_gan(random_gan)
    groups = {"seeds": _seeds(), "long": _long(), "why": _why(random_gan)}
    cells = [cell for group in arguments.groups for cell in groups[group]]
    run_cells(cells, arguments.data, arguments.out, judge, "result.json")


def judge(cell: Cell, config: DistillConfig, folder: Path) -> Mapping[str, Any]:
    """Probe a finished run on the test images, and leave `probe-PROTOCOL.json` in its folder.

    Args:
        cell: the run.
        config: its settings.
        folder: where it lies.
    """
    accuracies: dict[str, float] = {}
    for protocol, settings in PROBES.items():
        options = ProbeOptions(num_workers=0, **settings)
        found = probe(folder, config.data, protocol, options)
        write_json(folder / f"probe-{protocol}.json", found)
        accuracies[protocol] = found["accuracy"]
    return {"cell": cell.name, "seconds": last_line(folder)["seconds"], **accuracies}


def make_random_gan(path: Path) -> None:
    """Write a generator of the shipped one's architecture whose weights were never trained."""
    generator = load_generator("builtin:stylegan2-cifar10")
    assert isinstance(generator, StyleGAN2Generator)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        untrained = StyleGAN2Generator(generator.config)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_generator(path, untrained, {})


def _cell(name: str, preset: str, steps: int, seed: int, *changes: Changes) -> Cell:
    length: Changes = {"train": {"max_steps": steps, "seed": seed, "num_workers": 0}}
    return Cell(f"{name}--{steps}--{seed}", preset, (length, *changes))


def _seeds() -> list[Cell]:
    cells = [_cell(preset, preset, 3500, seed) for seed in SEEDS for preset in (*METHODS, PAPER)]
    return cells + [
        _cell(preset, preset, 3500, 0) for preset in ("vicreg-syn-mini", "simsiam-real-mini")
    ]


def _long() -> list[Cell]:
    longest = ("squeeze-span-mini", "vicreg-real-mini", PAPER)
    return [_cell(preset, preset, 14_000, 0) for preset in longest] + [
        _cell(preset, preset, 7000, 0) for preset in OURS
    ]


def _why(random_gan: Path) -> list[Cell]:
    cells = [_cell(name, preset, WHY_STEPS, 0, changes) for name, (preset, changes) in WHY.items()]
    untrained = _cell("squeeze-random-teacher", "squeeze-mini", WHY_STEPS, 0)
    return [*cells, replace(untrained, gan=str(random_gan))]


if __name__ == "__main__":
    main()
