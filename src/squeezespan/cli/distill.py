"""Train a student backbone from a GAN generator and unlabelled images."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from squeezespan.cli.arguments import begin_with, parse, peek
from squeezespan.cli.gan.opening import Opening
from squeezespan.config import DistillConfig, TrainConfig, load_config
from squeezespan.opening import OpeningConfig

__all__ = ["run"]

_PROG = "squeezespan distill"
_Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclass(frozen=True)
class _Options(DistillConfig):
    opening: Opening = field(default_factory=OpeningConfig)
    train: Annotated[TrainConfig, tyro.conf.arg(name="")] = field(default_factory=TrainConfig)
    preset: str | None = None
    """Where the settings begin; `squeezespan presets` lists them."""
    config: Path | None = None
    """A `config.json` to begin with, instead of a preset."""
    out: Path = dataclasses.field(kw_only=True, default=tyro.MISSING)
    """The run folder to make."""
    resume: _Flag = False
    """Continue the run in `--out` where it stopped; its settings are the defaults then."""
    dry_run: _Flag = False
    """Check everything, print the resolved settings and the run's length, and write nothing."""


def run(argv: list[str]) -> None:
    """Run `squeezespan distill`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, a file or a folder is not usable.
        TrainingError: the loss stopped being finite.
    """
    begin = _settings_to_begin_with(argv)
    default = _Options(**{name: getattr(begin, name) for name in _setting_names()})
    options = parse(_Options, argv, prog=_PROG, description=__doc__ or "", default=default)
    config = DistillConfig(**{name: getattr(options, name) for name in _setting_names()})

    from squeezespan.distillation.distill import describe_run, distill
    from squeezespan.losses.gather import global_rank

    if options.dry_run:
        print(json.dumps(describe_run(config, options.out, options.resume), indent=2))
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


def _setting_names() -> list[str]:
    return [setting.name for setting in dataclasses.fields(DistillConfig)]
