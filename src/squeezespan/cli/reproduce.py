"""Train and judge what a table of the paper needs, and write our numbers beside its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional, Switch
from squeezespan.errors import TrainingError
from squeezespan.experiments.asked import Asked
from squeezespan.settings import Range

__all__ = ["Options", "run"]

_PROG = "squeezespan reproduce"


@dataclass(frozen=True, kw_only=True)
class Options(Asked):
    """What `squeezespan reproduce` takes."""

    table: Positional[str]
    """table2, ablation, ...: `squeezespan reproduce list` names them all."""
    out: Path = Path("reproduced")
    """Folder that all tables may share: a training that two of them need is done once."""
    jobs: Annotated[int, Range(1)] = 1
    """Trainings at a time; more terminals with the same command share the work, too."""
    slurm: tuple[str, ...] | None = None
    """Do trainings as jobs of a SLURM cluster, --jobs at a time, with these options of sbatch
    (NAME=VALUE, such as partition=gpu gres=gpu:1 time=600)."""
    dry_run: Switch = False
    """Say what would be trained and how long it takes here, and train nothing."""


def run(argv: list[str]) -> None:
    """Run `squeezespan reproduce`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the data, a generator or the folder are not usable.
        TrainingError: cells are missing at the end.
        StorageError: the disk is full.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")

    from squeezespan.experiments import reproduce as work
    from squeezespan.experiments.catalog import EXPERIMENTS
    from squeezespan.experiments.slurm import check_slurm
    from squeezespan.experiments.table import as_markdown

    if options.table == "list":
        width = max(map(len, EXPERIMENTS)) + 2
        for experiment in EXPERIMENTS.values():
            arms = len(experiment.arms)
            print(f"{experiment.name:{width}}{experiment.title}, {arms} arms")
        return
    slurm = None if options.slurm is None else check_slurm(options.slurm)
    plan = work.plan_experiment(options.table, options, options.out)
    if options.dry_run:
        print(work.describe_plan(plan))
        if options.scale == "mini":
            hours = work.hours_left(plan)
            print(f"left to do: about {hours:.1f} hours of training here, besides the evaluations")
        return
    results, troubles = work.reproduce(plan, options.jobs, slurm)
    print(f"\n{as_markdown(results)}")
    print(plan.table)
    if troubles:
        raise TrainingError(
            f"{len(troubles)} of {len(plan.tasks)} trainings are missing in the table; the same "
            "command goes on with them"
        )
