"""Compare signals without labels in GAN training, at equal time and from the same start.

    python tools/ablate_gan.py run --data folder:cifar10 --student runs/vicreg --out runs/signals \
        --judges efficientnet-lite0 runs/other-vicreg
    python tools/ablate_gan.py collect --out runs/signals results/gan-signals

Every arm goes on from the shipped GAN and its discriminator, for the same minutes of training steps
(without scores, data and the clusters, which are made once; nor is the student's own training
counted). Snapshots are scored on the tenth of the train images that no arm learns from; the shipped
GAN had seen them, as a start that all arms share. The same command in a second terminal shares the
work, and one that was stopped goes on.
"""

import argparse
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from squeezespan.errors import UserError
from squeezespan.experiments.experiment import Changes
from squeezespan.experiments.table import as_csv
from squeezespan.files import write_json, write_text
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.train import gan_folder, train_gan
from squeezespan.generators.registry import read_generator_header
from squeezespan.hardware import cpu_name
from squeezespan.presets.gan import find_gan_preset
from squeezespan.runs.checkpoint import load_newest_checkpoint
from squeezespan.settings import from_dict, to_dict

RESULT = "arm.json"
PRESET = "stylegan2-cpu"
START: Changes = {
    "init": {
        "generator": "builtin:stylegan2-cifar10",
        "discriminator": "results/gan-stylegan2-cifar10/discriminator.safetensors",
    },
    "train": {"learning_rate": 0.0015, "discriminator_learning_rate": 0.0025},
}
"""Where the shipped GAN's training stopped, with its rates."""
MEASURED = ("kernel", "frechet", "precision", "recall")
STUDENT = "STUDENT"
"""Stands for the student that is named on the command line."""
ARMS: dict[str, Changes] = {
    "plain": {},
    "aided": {"aid": {"backbone": STUDENT}},
    "clusters": {"clusters": {"backbone": STUDENT}},
    "relativistic": {"loss": {"adversarial": "relativistic", "r2_gamma": 0.01}},
    "decay": {"train": {"decay_kimg": 100.0}},
    "longer-average": {"loss": {"ema_rampup": 0.2}},
    "batch-64": {"train": {"batch_size": 64}},
}
FIRST = 8
"""Steps that tell how long steps are."""
LAST = 0.25
"""Share of the minutes from which on the rest is trained in one go."""
ENDS_WITHIN = 0.02
"""Share of the minutes that an arm may be short of."""


class Arm(NamedTuple):
    """One run of the comparison."""

    name: str
    seed: int
    config: GanTrainConfig


def changed(values: Mapping[str, Any], *all_changes: Changes) -> dict[str, Any]:
    """Give settings as plain values with changes, the later ones above the earlier."""
    result = dict(values)
    for changes in all_changes:
        for section, settings in changes.items():
            result[section] = result[section] | settings
    return result


def make_arms(arguments: argparse.Namespace) -> dict[str, Arm]:
    """Give the runs that were asked for, by the names of their folders."""
    base = to_dict(find_gan_preset(PRESET).build()) | {"data": arguments.data}
    judging: Changes = {
        "monitor": {"score_images": arguments.score_images, "judges": arguments.judges},
        "train": {"snapshot_kimg": arguments.snapshot_kimg, "num_workers": 0},
    }
    arms = {}
    for seed in arguments.seeds:
        for name in arguments.arms:
            values = changed(base, START, judging, {"train": {"seed": seed}}, ARMS[name])
            named = json.loads(
                json.dumps(values).replace(f'"{STUDENT}"', json.dumps(arguments.student))
            )
            config = from_dict(GanTrainConfig, named, where=name)
            arms[f"{name}--{seed}"] = Arm(name, seed, config)
    return arms


def train_for(arm: Arm, out: Path, minutes: float) -> None:
    """Train an arm for so many minutes of steps.

    How long steps are, the first few tell, and then more and more of them.

    Args:
        arm: the run.
        out: its folder.
        minutes: of training steps.
    """
    while True:
        done, seconds = _progress(out)
        step = seconds / max(done, 1)
        left = minutes * 60 - seconds
        if done and left < max(ENDS_WITHIN * minutes * 60, step):
            break
        share = 1.0 if left < LAST * minutes * 60 else 1 - LAST / 2
        more = max(int(share * left / step), 1) if done else FIRST
        train_gan(_as_long(arm.config, done + more), out, resume=True)
    write_json(out / RESULT, {"arm": arm.name, "seed": arm.seed, "minutes": round(seconds / 60, 2)})


def collect(out: Path, results: Path) -> None:
    """Write a row for every snapshot of every arm that is done, and its last grid of images.

    Args:
        out: folder of the arms.
        results: folder for `snapshots.csv` and `ARM--SEED.png`.
    """
    rows = [row for path in sorted(out.glob(f"*/{RESULT}")) for row in _rows(path)]
    if not rows:
        raise UserError(f"{out} has no arm that is done")
    results.mkdir(parents=True, exist_ok=True)
    write_text(results / "snapshots.csv", as_csv(rows))
    for path in out.glob(f"*/{RESULT}"):
        grid = max((path.parent / "samples").glob("*.png"), key=lambda grid: float(grid.stem))
        shutil.copyfile(grid, results / f"{path.parent.name}.png")


def _progress(out: Path) -> tuple[int, float]:
    """Steps that a run has done, and the seconds that they took."""
    found = load_newest_checkpoint(gan_folder(out).checkpoints)
    return (0, 0.0) if found is None else (found[0], found[1]["job"]["step_seconds"])


def _as_long(config: GanTrainConfig, steps: int) -> GanTrainConfig:
    values = changed(to_dict(config), {"train": {"max_steps": steps, "kimg": 1e9}})
    return from_dict(GanTrainConfig, values, where="arm")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    run, arm = path.parent, json.loads(path.read_text(encoding="utf-8"))
    lines = map(json.loads, (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    scores = {line["kimg"]: line for line in lines if line["kind"] == "snapshot"}
    (session, *_) = json.loads((run / "environment.json").read_text("utf-8"))["sessions"]
    for file in sorted((run / "snapshots").glob("*.safetensors")):
        provenance = read_generator_header(file)["provenance"]
        if provenance["kimg"] not in scores:
            # Left where a part of the arm ended between two moments to score.
            continue
        line = scores[provenance["kimg"]]
        measured = {key: f"{x:.6g}" for key, x in line.items() if key.partition("_")[0] in MEASURED}
        yield {
            "arm": arm["arm"],
            "seed": arm["seed"],
            "kimg": provenance["kimg"],
            "minutes": round(provenance["seconds"] / 60, 2),
            **measured,
            "device": cpu_name() if provenance["device"] == "cpu" else provenance["device"],
            "torch": provenance["torch"],
            "commit": str(provenance["commit"])[:10],
            "date": str(session["time"])[:10],
        }


def main() -> None:
    """Read the arguments, then run arms or collect them."""
    parser = argparse.ArgumentParser(description="Compare signals of GAN training at equal time.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--data", required=True)
    run.add_argument("--student", required=True, help="aids and clusters; no judge")
    run.add_argument("--judges", nargs="+", default=["efficientnet-lite0"])
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--minutes", type=float, default=40.0)
    run.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    run.add_argument("--seeds", nargs="+", type=int, default=[0])
    run.add_argument("--score-images", type=int, default=5000)
    run.add_argument("--snapshot-kimg", type=float, default=25.0)
    gather = commands.add_parser("collect")
    gather.add_argument("--out", type=Path, required=True)
    gather.add_argument("results", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "collect":
        collect(arguments.out, arguments.results)
        return
    if arguments.student in arguments.judges:
        parser.error("the student that trains can't judge; give another one to --judges")

    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, arm in make_arms(arguments).items():
        with (arguments.out / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if not (arguments.out / name / RESULT).exists():
                train_for(arm, arguments.out / name, arguments.minutes)


if __name__ == "__main__":
    main()
