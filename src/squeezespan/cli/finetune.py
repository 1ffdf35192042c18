"""Fine-tune a backbone on labelled images, few or all, and test it beside its probe."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from squeezespan.cli.arguments import parse
from squeezespan.finetuning.config import (
    FinetuneConfig,
    FinetuneMonitorConfig,
    FinetuneTrainConfig,
    TuningConfig,
)

__all__ = ["run"]

_PROG = "squeezespan finetune"
_Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclass(frozen=True)
class _Options:
    weights: Annotated[str, tyro.conf.Positional] = tyro.MISSING
    """A run folder, or a student.safetensors file."""
    data: str = tyro.MISSING
    """Data spec with labelled train and test splits, such as cifar10:DIR or folder:PATH."""
    out: Path = tyro.MISSING
    """The folder to make."""
    images_per_class: int | Literal["all"] = "all"
    """Labelled images of each class that are used; the others serve without their labels."""
    train: Annotated[FinetuneTrainConfig, tyro.conf.arg(name="")] = field(
        default_factory=FinetuneTrainConfig
    )
    tuning: TuningConfig = field(default_factory=TuningConfig)
    monitor: FinetuneMonitorConfig = field(default_factory=FinetuneMonitorConfig)
    resume: _Flag = False
    """Continue the run in `--out` where it stopped."""
    dry_run: _Flag = False
    """Check everything, print the resolved settings and the run's length, and write nothing."""


def run(argv: list[str]) -> None:
    """Run `squeezespan finetune`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, a file or a folder is not usable.
        TrainingError: the loss stopped being finite.
        StorageError: the result could not be written.
    """
    options = parse(_Options, argv, prog=_PROG, description=__doc__ or "")
    names = [setting.name for setting in dataclasses.fields(FinetuneConfig)]
    config = FinetuneConfig(**{name: getattr(options, name) for name in names})
    from squeezespan.finetuning.run import describe_finetuning, run_finetuning

    if options.dry_run:
        print(json.dumps(describe_finetuning(config, options.out, options.resume), indent=2))
        return
    out = run_finetuning(config, options.out, options.resume)
    print(_table(json.loads((out / "result.json").read_text(encoding="utf-8"))))
    print(out)


def _table(result: dict[str, Any]) -> str:
    probe, difference = result["probe"], result["difference"]
    low, high = (100 * end for end in difference["interval"])
    points = 100 * difference["accuracy"]
    rows = [
        ("top-1", _percent(result["accuracy"], result["interval"])),
        ("probe", _percent(probe["accuracy"], probe["interval"])),
        ("gain", f"{points:+.2f} points (95% interval {low:+.2f} to {high:+.2f}, paired)"),
        ("labels", f"{result['n_train']} images of {result['classes']} classes"),
        ("test", result["test_images"]),
    ]
    return "\n".join(f"{name:10}{value}" for name, value in rows)


def _percent(share: float, interval: list[float]) -> str:
    low, high = interval
    return f"{share:.2%} (95% interval {low:.2%} to {high:.2%})"
