"""Train a student backbone from a GAN generator and unlabelled images."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.begin import begin_with, peek
from squeezespan.cli.gan.opening import Opening
from squeezespan.cli.options import Flat, Switch, part_of
from squeezespan.cli.plans import check_json, print_plan
from squeezespan.config import DistillConfig, TrainConfig, load_config, validate
from squeezespan.opening import OpeningConfig
from squeezespan.settings import as_flag

__all__ = ["Options", "run"]

_PROG = "squeezespan distill"


@dataclass(frozen=True, kw_only=True)
class Options(DistillConfig):
    """What `squeezespan distill` takes."""

    opening: Opening = field(default_factory=OpeningConfig)
    train: Flat[TrainConfig] = field(default_factory=TrainConfig)
    preset: str | None = None
    """Where the settings begin; `squeezespan presets` lists them."""
    config: Path | None = None
    """A `config.json`, or the same in TOML or YAML, to begin with instead of a preset."""
    out: Path
    """The run folder to make."""
    resume: Switch = False
    """Continue the run in `--out` where it stopped; its settings are the defaults then."""
    dry_run: Switch = False
    """Check everything, measure a few steps, print the plan, its time and memory, and write
    nothing."""
    json: Switch = False
    """With `--dry-run`: print all settings and figures as JSON."""


def run(argv: list[str]) -> None:
    """Run `squeezespan distill`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, a file or a folder is not usable.
        TrainingError: the loss stopped being finite.
    """
    begin = _settings_to_begin_with(argv)
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "", default=begin)
    config = part_of(DistillConfig, options)
    validate(config, where="", spell=as_flag)
    check_json(options.json, options.dry_run)

    from squeezespan.distillation.distill import describe_run, distill
    from squeezespan.distillation.summary import plan_rows
    from squeezespan.losses.gather import global_rank

    if options.dry_run:
        print_plan(describe_run(config, options.out, options.resume), plan_rows, options.json)
        return
    distill(config, options.out, options.resume)
    if global_rank() == 0:
        print(options.out / "student.safetensors")


def _settings_to_begin_with(argv: list[str]) -> DistillConfig:
    def preset(name: str) -> DistillConfig:
        from squeezespan.presets import find_preset

        return _without_limit(find_preset(name).build(), argv)

    def run(out: Path) -> DistillConfig:
        from squeezespan.distillation.folder import distill_folder

        return distill_folder(out).saved()

    return begin_with(
        argv,
        DistillConfig(),
        preset=preset,
        file=lambda path: _without_limit(load_config(path), argv),
        run=run,
    )


def _without_limit(config: DistillConfig, argv: list[str]) -> DistillConfig:
    """Drop a limit of steps that would end the run before the epochs that are asked for."""
    if peek(argv, "--epochs") is None:
        return config
    return dataclasses.replace(config, train=dataclasses.replace(config.train, max_steps=None))
