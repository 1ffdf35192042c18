"""Training and judging cells, by any number of processes; what is done is never done again.

A cell's folder holds `cell.json`, what its training was, and `evaluations/`, what its student was
judged to be; these two are enough for a table. `run/` is the training itself, which goes on where
it was stopped, and may be deleted when the cell is done.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from squeezespan.config import config_from_dict, load_config
from squeezespan.distillation.distill import distill
from squeezespan.environment import environment
from squeezespan.errors import StorageError, TrainingError, UserError
from squeezespan.evaluation.options import ProbeOptions, Protocol
from squeezespan.experiments.cells import Cell, other_setting, passes_per_image
from squeezespan.experiments.evaluations import Target, evaluate, unevaluated
from squeezespan.files import write_json
from squeezespan.hardware import resolve_device
from squeezespan.reports.metrics import read_metrics
from squeezespan.runs.lock import lock_file
from squeezespan.settings import to_dict

__all__ = ["Task", "Trouble", "done", "left_to_do", "run_task", "run_tasks", "summary"]

SUMMARY = "cell.json"
EVALUATIONS = "evaluations"
RUN = "run"


@dataclass(frozen=True)
class Task:
    """A cell, and by what its student is judged."""

    cell: Cell
    folder: Path
    targets: tuple[Target, ...]
    protocols: tuple[Protocol, ...]
    options: ProbeOptions


@dataclass(frozen=True)
class Trouble:
    """Why a cell is not done."""

    title: str
    reason: str


def done(task: Task) -> bool:
    """Tell whether a cell is trained and judged by everything that is asked for."""
    place = task.folder / EVALUATIONS
    return summary(task) is not None and not any(
        unevaluated(place, target, task.protocols, task.options) for target in task.targets
    )


def summary(task: Task) -> dict[str, Any] | None:
    """Give what a cell's training was; None where it isn't finished.

    Raises:
        UserError: it was another training than the cell's.
    """
    file = task.folder / SUMMARY
    if not file.exists():
        return None
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if task.cell.config is None:
        return found
    saved = config_from_dict(found["config"], where=str(file))
    if difference := other_setting(task.cell.config, saved):
        raise UserError(
            f"{file} tells of another training than the one asked for ({difference}), by another "
            "version of the presets; move its folder away, or choose another --out"
        )
    return found


def left_to_do(tasks: Sequence[Task]) -> list[Task]:
    """Give the cells that aren't done, each once: two names may stand for the same images.

    Raises:
        UserError: a cell's folder holds another training.
    """
    return list({task.folder: task for task in tasks if not done(task)}.values())


def run_tasks(left: Sequence[Task], jobs: int) -> list[Trouble]:
    """Do cells, some at a time, on this machine.

    Args:
        left: in the order in which they are wanted.
        jobs: cells at a time; each gets its share of the cores.

    Returns:
        What is not done after all, because it failed or because another process works on it.
    """
    if jobs == 1:
        found = [run_task(task, f"[{place}/{len(left)}]") for place, task in _numbered(left)]
    else:
        from joblib import Parallel, delayed

        threads = max((os.cpu_count() or 1) // jobs, 1)
        found = Parallel(n_jobs=jobs)(
            delayed(run_task)(task, f"[{place}/{len(left)}]", threads)
            for place, task in _numbered(left)
        )
    return [trouble for trouble in found if trouble is not None]


def run_task(task: Task, number: str = "", threads: int | None = None) -> Trouble | None:
    """Train and judge one cell, unless another process works on it.

    Args:
        task: which one.
        number: stands before its line of progress.
        threads: of this process; None leaves them.

    Returns:
        What went wrong; nothing of one cell's is in the way of another.
    """
    title = task.cell.title
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        task.folder.mkdir(parents=True, exist_ok=True)
        with (task.folder / ".lock").open("w") as lock:
            try:
                lock_file(lock)
            except BlockingIOError:
                return Trouble(title, "another process works on it")
            if done(task):
                return None
            print(f"{number} {title}".strip(), flush=True)
            weights = _train(task)
            for target in task.targets:
                place = task.folder / EVALUATIONS
                evaluate(weights, place, target, task.protocols, task.options)
    except (UserError, TrainingError, StorageError, OSError, RuntimeError, MemoryError) as error:
        return Trouble(title, " ".join(str(error).split())[:500] or type(error).__name__)
    return None


def _numbered(tasks: Sequence[Task]) -> list[tuple[int, Task]]:
    return list(enumerate(tasks, start=1))


def _train(task: Task) -> str | Path:
    """Leave a finished run in the folder, and its summary, and give what is to be judged."""
    run = task.folder / RUN
    cell = task.cell
    if cell.config is None:
        write_json(task.folder / SUMMARY, _untrained(task))
        return f"{cell.preset}:{cell.column.discriminator}"
    distill(cell.config, run, resume=(run / "config.json").exists())
    lines = read_metrics(run / "metrics.jsonl")
    trained = [line for line in lines if line["kind"] == "train"]
    batch = cell.config.train.batch_size
    views = passes_per_image(cell.config.method)
    machine = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    config = load_config(run / "config.json")
    write_json(
        task.folder / SUMMARY,
        {
            "preset": cell.preset,
            "images": cell.column.images,
            "seed": cell.seed,
            "gan_sha256": cell.gan_sha256,
            "discriminator_sha256": cell.discriminator_sha256,
            "config": to_dict(config),
            "steps": trained[-1]["step"],
            "images_seen": trained[-1]["images"],
            "passes": round(trained[-1]["images"] * views),
            "seconds": trained[-1]["seconds"],
            "last": trained[-1],
            "curve": [
                {
                    "step": line["step"],
                    "images": line["step"] * batch,
                    "passes": round(line["step"] * batch * views),
                    "seconds": _seconds_at(trained, line["step"]),
                    "held_out_knn": line["knn_accuracy"],
                }
                for line in lines
                if line["kind"] == "knn"
            ],
            "sessions": machine["sessions"],
        },
    )
    return run


def _untrained(task: Task) -> dict[str, Any]:
    """The summary of a cell in which nothing is trained."""
    cell = task.cell
    device = str(resolve_device(task.options.device))
    return {
        "preset": cell.preset,
        "images": cell.column.images,
        "seed": cell.seed,
        "gan_sha256": cell.gan_sha256,
        "config": None,
        "steps": 0,
        "images_seen": 0,
        "passes": 0,
        "seconds": 0.0,
        "curve": [],
        "sessions": [environment() | {"device": device, "processes": 1}],
    }


def _seconds_at(trained: Sequence[dict[str, Any]], step: int) -> float | None:
    """Give the training's seconds at a step, as its nearest line says."""
    near = min(trained, key=lambda line: abs(line["step"] - step), default=None)
    return None if near is None else near["seconds"]
