"""`reproduce`: from an experiment's definition to its trainings, table and verdicts."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from squeezespan.environment import environment
from squeezespan.errors import TrainingError, UserError
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.experiments.asked import Asked
from squeezespan.experiments.budget import equalise, step_seconds
from squeezespan.experiments.catalog import find_experiment
from squeezespan.experiments.cells import Cell, missing, plan_cells
from squeezespan.experiments.columns import Column, columns_from
from squeezespan.experiments.evaluations import Target
from squeezespan.experiments.experiment import Changes, Experiment
from squeezespan.experiments.figure import write_figures
from squeezespan.experiments.results import Results, collect, verdicts
from squeezespan.experiments.runner import Task, Trouble, done, left_to_do, run_tasks
from squeezespan.experiments.slurm import run_on_slurm
from squeezespan.experiments.table import (
    as_csv,
    as_latex,
    as_markdown,
    differences_csv,
    records,
)
from squeezespan.experiments.teachers import TeacherScore, score_teachers
from squeezespan.files import check_writable, write_json, write_text

__all__ = ["Plan", "describe_plan", "hours_left", "plan_experiment", "reproduce"]

_CELLS = "cells"
_SPEEDS = "speeds.json"
_TEACHERS = "teachers"
_LOGS = "slurm"


@dataclass(frozen=True)
class Plan:
    """The trainings of an experiment and where they are kept."""

    experiment: Experiment
    asked: Asked
    out: Path
    columns: tuple[Column, ...]
    tasks: tuple[Task, ...]

    @property
    def table(self) -> Path:
        """Folder of the table."""
        return self.out / self.experiment.name


def plan_experiment(name: str, asked: Asked, out: Path) -> Plan:
    """Work out all trainings, without starting one.

    Args:
        name: of the experiment.
        asked: what the user wants of it.
        out: folder that all experiments may share; cells that two of them need are done once.

    Raises:
        UserError: no such experiment, data set, generator, preset or arm; or one that doesn't go
            with the rest.
    """
    experiment = _narrowed(find_experiment(name), asked.arms)
    _check(experiment, asked)
    columns = columns_from(asked.data, asked.gan, asked.discriminator)
    if experiment.judges == "others" and len(columns) < 2:
        raise UserError(f"{name} judges students on other data sets; give two or more to --data")
    cells = plan_cells(
        experiment,
        asked.scale,
        columns,
        asked.seeds,
        steps=asked.steps,
        changes=_hardware(asked),
    )
    speeds = out / _SPEEDS
    cells = equalise(
        cells, asked.budget or experiment.budget, lambda cell: step_seconds(cell, speeds)
    )
    options = ProbeOptions(
        device=asked.device, **(experiment.probe if asked.scale == "mini" else {})
    )
    tasks = (
        Task(
            cell,
            out / _CELLS / cell.folder,
            _targets(experiment, cell, columns),
            experiment.protocols,
            options,
        )
        for cell in cells
    )
    return Plan(experiment, asked, out, columns, tuple(tasks))


def reproduce(
    plan: Plan, jobs: int = 1, slurm: Mapping[str, str] | None = None
) -> tuple[Results, list[Trouble]]:
    """Do what isn't done of a plan, and write the table of what is.

    A table is written also where cells are missing, and where it is stopped; started again, the
    same command goes on.

    Args:
        plan: from `plan_experiment`.
        jobs: cells at a time.
        slurm: options of `sbatch`, to do the cells as jobs of a cluster; None does them here.

    Returns:
        What was found, and which cells are missing and why.

    Raises:
        UserError: the folder can't be written to.
        TrainingError: not one cell could be done.
        StorageError: the disk is full.
    """
    check_writable(plan.out, "--out")
    plan.out.mkdir(parents=True, exist_ok=True)
    for line in left_out(plan):
        print(f"left out: {line}", file=sys.stderr, flush=True)
    teachers: Mapping[str, TeacherScore] = {}
    if plan.experiment.by_teacher:
        place = plan.out / _TEACHERS
        teachers = score_teachers(plan.columns, plan.asked.scale, place, plan.asked.device)
    left = left_to_do(plan.tasks)
    try:
        if slurm is None or not left:
            troubles = run_tasks(left, jobs)
        else:
            troubles = run_on_slurm(left, jobs, slurm, plan.out / _LOGS)
    except (KeyboardInterrupt, SystemExit):
        results = collect(plan.experiment, plan.tasks, teachers)
        if results.found:
            write_results(plan, results, _not_done(plan))
            print(f"what is done stands in {plan.table}", file=sys.stderr, flush=True)
        raise
    # Another process may have done by now what it was at when this one came by.
    waiting = {task.cell.title for task in left_to_do(left)}
    troubles = [trouble for trouble in troubles if trouble.title in waiting]
    for trouble in troubles:
        print(f"{trouble.title}: {trouble.reason}", file=sys.stderr, flush=True)
    results = collect(plan.experiment, plan.tasks, teachers)
    if not results.found:
        reasons = "; ".join(dict.fromkeys(trouble.reason for trouble in troubles))
        raise TrainingError(f"no cell of {plan.experiment.name} could be done: {reasons}")
    write_results(plan, results, troubles)
    return results, troubles


def write_results(plan: Plan, results: Results, troubles: list[Trouble]) -> None:
    """Write an experiment's table in all its forms.

    Args:
        plan: what was asked for.
        results: what was found, not nothing.
        troubles: what is missing.

    Raises:
        StorageError: the disk is full.
    """
    folder = plan.table
    folder.mkdir(parents=True, exist_ok=True)
    rows = records(results)
    write_text(folder / "table.md", as_markdown(results))
    write_text(folder / "table.csv", as_csv(rows))
    write_text(folder / "table.tex", as_latex(results))
    if differences := differences_csv(results):
        write_text(folder / "differences.csv", differences)
    if curves := results.curves():
        write_text(folder / "curves.csv", as_csv(curves))
    write_figures(results, folder)
    write_json(folder / "table.json", _as_json(plan, results, rows, troubles))


def describe_plan(plan: Plan) -> str:
    """Say which trainings there are and which are left to do."""
    lines = [f"{plan.experiment.title}: {len(plan.tasks)} trainings in {plan.out / _CELLS}"]
    for task in plan.tasks:
        state = "done" if done(task) else "begun" if task.folder.exists() else "to do"
        lines.append(f"  {task.cell.title}: {_length(task.cell)}, {state}")
    lines += [f"  left out: {line}" for line in left_out(plan)]
    return "\n".join(lines)


def hours_left(plan: Plan) -> float:
    """Measure the steps of the trainings that are left, and give the hours that they take here.

    Args:
        plan: from `plan_experiment`; at the scale `mini`, where lengths are in steps.
    """
    seconds = 0.0
    for task in plan.tasks:
        steps = task.cell.steps
        if not done(task) and steps is not None:
            seconds += steps * step_seconds(task.cell, plan.out / _SPEEDS)
    return seconds / 3600


def left_out(plan: Plan) -> list[str]:
    """Say which arms a data set or its generator can't have, and why."""
    return [
        f"{arm.title}, {column.name}: {reason}"
        for column in plan.columns
        for arm in plan.experiment.arms
        if (reason := missing(arm, column)) is not None
    ]


def _length(cell: Cell) -> str:
    if cell.config is None:
        return "judged as it is"
    train = cell.config.train
    length = f"{train.max_steps} steps" if train.max_steps else f"{train.epochs} epochs"
    return f"{length} of {train.batch_size}"


def _not_done(plan: Plan) -> list[Trouble]:
    return [
        Trouble(task.cell.title, "stopped before it was done")
        for task in plan.tasks
        if not done(task)
    ]


def _narrowed(experiment: Experiment, keys: tuple[str, ...]) -> Experiment:
    if not keys:
        return experiment
    known = [arm.key for arm in experiment.arms]
    for key in keys:
        if key not in known:
            raise UserError(f"{experiment.name} has no arm {key!r}; it has {', '.join(known)}")
    return replace(experiment, arms=tuple(arm for arm in experiment.arms if arm.key in keys))


def _check(experiment: Experiment, asked: Asked) -> None:
    if asked.scale not in experiment.scales:
        raise UserError(f"{experiment.name} is for --scale {experiment.scales[0]} alone")
    if asked.scale == "paper":
        if asked.steps is not None:
            raise UserError("--steps is for --scale mini; the paper's epochs set the length here")
        if asked.budget not in (None, "images"):
            raise UserError(
                "--budget is for --scale mini; the paper's epochs give all methods as many images"
            )
    if len(set(asked.seeds)) < len(asked.seeds) or not asked.seeds:
        raise UserError("--seeds names a seed twice, or none")


def _hardware(asked: Asked) -> Changes:
    return {"train": {"device": asked.device, "precision": asked.precision}}


def _targets(experiment: Experiment, cell: Cell, columns: tuple[Column, ...]) -> tuple[Target, ...]:
    if experiment.judges == "held-out":
        return (Target.held_out(),)
    if experiment.judges == "others":
        return tuple(Target.of(column) for column in columns if column != cell.column)
    return (Target.of(cell.column),)


def _as_json(
    plan: Plan, results: Results, rows: list[dict[str, Any]], troubles: list[Trouble]
) -> Mapping[str, Any]:
    return {
        "experiment": plan.experiment.name,
        "scale": plan.asked.scale,
        "budget": plan.asked.budget or plan.experiment.budget,
        "rows": rows,
        "teachers": {name: asdict(score) for name, score in results.teachers.items()},
        "claims": [
            {
                "claim": verdict.claim.text,
                "trained_on": place[0],
                "judged_on": place[1],
                "verdict": verdict.verdict,
                "difference": verdict.difference and verdict.difference.difference,
                "interval": verdict.difference and list(verdict.difference.interval),
            }
            for place, verdict in verdicts(results)
        ],
        "missing": [{"cell": trouble.title, "reason": trouble.reason} for trouble in troubles],
        "environment": environment(),
    }
