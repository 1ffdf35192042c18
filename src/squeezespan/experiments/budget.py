"""What is the same for all arms: images, passes through the student, or time."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from squeezespan.distillation.prepare import prepare
from squeezespan.distillation.speed import measure_step, steps_to_measure
from squeezespan.experiments.cells import Cell, passes_per_image, with_steps
from squeezespan.experiments.experiment import Budget
from squeezespan.files import write_json
from squeezespan.hardware import device_name, resolve_device

__all__ = ["equalise", "step_seconds"]


def equalise(cells: Sequence[Cell], budget: Budget, seconds: Callable[[Cell], float]) -> list[Cell]:
    """Give all arms of a data set and seed the same budget.

    For passes and time, every arm gets as many steps as cost what the most expensive arm's training
    costs, so that none is trained for less than the steps that were asked for.

    Args:
        cells: with the steps that were asked for, as far as `max_steps` is set.
        budget: what is to be equal.
        seconds: measures a step of a cell; asked for `time` only.
    """
    if budget == "images":
        return list(cells)
    trained = [cell for cell in cells if cell.steps is not None]

    def cost(cell: Cell) -> float:
        assert cell.config is not None
        if budget == "time":
            return seconds(cell)
        return cell.config.train.batch_size * passes_per_image(cell.config.method)

    dearest: dict[str, float] = {}
    for cell in trained:
        assert cell.steps is not None
        whole = cell.steps * cost(cell)
        dearest[cell.column.name] = max(whole, dearest.get(cell.column.name, 0.0))
    return [
        cell
        if cell.steps is None
        else with_steps(cell, round(dearest[cell.column.name] / cost(cell)))
        for cell in cells
    ]


def step_seconds(cell: Cell, known: Path) -> float:
    """Give the seconds of one training step of a cell on this machine, measured once.

    Args:
        cell: whose settings are measured, whatever its seed and length.
        known: JSON file of what was measured before, by machine and settings.

    Raises:
        UserError: the data or the generator can't be used.
    """
    assert cell.config is not None
    device = resolve_device(cell.config.train.device)
    alike = with_steps(cell, steps_to_measure(device.type))
    assert alike.config is not None
    threads = torch.get_num_threads()
    name = f"{device_name(device)}, {threads} threads: {alike.preset} {alike.unseeded_key}"
    measured: dict[str, float] = {}
    if known.exists():
        measured = json.loads(known.read_text(encoding="utf-8"))
    if name not in measured:
        with torch.random.fork_rng([]):
            measured[name] = measure_step(alike.config, prepare(alike.config, device)).step
        known.parent.mkdir(parents=True, exist_ok=True)
        write_json(known, measured)
    return measured[name]
