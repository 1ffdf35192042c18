"""Cells as jobs of a SLURM cluster, by submitit."""

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from squeezespan.errors import UserError
from squeezespan.experiments.runner import Task, Trouble, run_task

if TYPE_CHECKING:
    import submitit

__all__ = ["check_slurm", "run_on_slurm"]


def check_slurm(settings: Sequence[str]) -> dict[str, str]:
    """Read what is asked of the cluster, before anything is done.

    Args:
        settings: `NAME=VALUE` for options of `sbatch`, such as `partition=gpu`.

    Raises:
        UserError: one that is no such pair, no SLURM on this machine, or submitit is missing.
    """
    if importlib.util.find_spec("submitit") is None:
        raise UserError("--slurm needs submitit: pip install 'squeezespan[slurm]'")
    if shutil.which("sbatch") is None:
        raise UserError("--slurm needs a cluster: there is no sbatch on this machine")
    pairs = [setting.partition("=") for setting in settings]
    for setting, (name, equals, _) in zip(settings, pairs, strict=True):
        if not equals or not name.isidentifier():
            raise UserError(f"--slurm {setting} is no NAME=VALUE, such as partition=gpu")
    found = {name: value for name, _, value in pairs}
    if "time" not in found:
        raise UserError("--slurm needs time=MINUTES, the longest that one training may take")
    return found


def run_on_slurm(
    tasks: Sequence[Task], jobs: int, settings: Mapping[str, str], logs: Path
) -> list[Trouble]:
    """Train and judge cells as an array of jobs, and wait for them.

    Args:
        tasks: that are not done.
        jobs: at a time.
        settings: options of `sbatch`, without dashes.
        logs: folder of the jobs' output.

    Returns:
        What is not done after all.
    """
    import submitit

    executor = submitit.AutoExecutor(folder=logs)
    executor.update_parameters(
        name="squeezespan",
        slurm_array_parallelism=jobs,
        **{f"slurm_{name}": value for name, value in settings.items()},
    )
    submitted = executor.map_array(run_task, list(tasks))
    found = [_result(task, job) for task, job in zip(tasks, submitted, strict=True)]
    return [trouble for trouble in found if trouble is not None]


def _result(task: Task, job: "submitit.Job[Trouble | None]") -> Trouble | None:
    import submitit

    try:
        return job.result()
    except (submitit.core.utils.UncompletedJobError, submitit.core.utils.FailedJobError) as error:
        last = " ".join(str(error).split())[-300:]
        return Trouble(task.cell.title, f"job {job.job_id} ended: {last}")
