"""Fine-tune a backbone on labelled images, few or all, and test it beside its probe."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Flat, Positional, Switch, part_of
from squeezespan.cli.plans import check_json, print_plan
from squeezespan.cli.tables import percent, two_columns
from squeezespan.finetuning.config import (
    FinetuneConfig,
    FinetuneMonitorConfig,
    FinetuneTrainConfig,
    ImagesPerClass,
    TuningConfig,
    validate_finetune,
)
from squeezespan.settings import TestShare, as_flag

__all__ = ["Options", "run"]

_PROG = "squeezespan finetune"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `squeezespan finetune` takes."""

    weights: Positional[str]
    """A run folder, or a student.safetensors file."""
    data: str
    """Data spec with labelled train and test splits, such as cifar10:DIR or folder:PATH."""
    out: Path
    """The folder to make."""
    images_per_class: ImagesPerClass = "all"
    """Labelled images of each class that are used; the others serve without their labels."""
    train: Flat[FinetuneTrainConfig] = field(default_factory=FinetuneTrainConfig)
    tuning: TuningConfig = field(default_factory=TuningConfig)
    monitor: FinetuneMonitorConfig = field(default_factory=FinetuneMonitorConfig)
    test_share: TestShare | None = None
    """Share of every class to test on, where the images have no test split: those of `probe
    --test-share`."""
    resume: Switch = False
    """Continue the run in `--out` where it stopped."""
    dry_run: Switch = False
    """Check everything, print the number of steps, and write nothing."""
    json: Switch = False
    """With `--dry-run`: print all settings and figures as JSON."""


def run(argv: list[str]) -> None:
    """Run `squeezespan finetune`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, a file or a folder is not usable.
        TrainingError: the loss stopped being finite.
        StorageError: the result could not be written.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    config = part_of(FinetuneConfig, options)
    validate_finetune(config, where="", spell=as_flag)
    check_json(options.json, options.dry_run)
    from squeezespan.finetuning.run import describe_finetuning, run_finetuning

    if options.dry_run:
        print_plan(describe_finetuning(config, options.out, options.resume), _plan, options.json)
        return
    out = run_finetuning(config, options.out, options.resume)
    found = json.loads((out / "result.json").read_text(encoding="utf-8"))
    print("\n".join(two_columns(_rows(found))))
    print(out)


def _plan(plan: Mapping[str, Any]) -> dict[str, str]:
    return {
        "images": f"{plan['images']}, {plan['classes']} classes",
        "passes": f"{plan['epochs']}, in batches of {plan['batch_size']}",
        "steps": f"{plan['steps']}, {plan['choosing_steps']} of them to choose the learning rate",
        "device": plan["device"],
        "out": f"{plan['out']} ({plan['out_holds']} there)",
    }


def _rows(result: Mapping[str, Any]) -> dict[str, str]:
    probe, difference = result["probe"], result["difference"]
    low, high = (100 * end for end in difference["interval"])
    points = 100 * difference["accuracy"]
    return {
        "top-1": percent(result["accuracy"], result["interval"]),
        "probe": percent(probe["accuracy"], probe["interval"]),
        "gain": f"{points:+.2f} points (95% interval {low:+.2f} to {high:+.2f}, paired)",
        "choice": result["chosen"]["why"],
        "labels": f"{result['n_train']} images of {result['classes']} classes",
        "test": result["test_images"],
    }
