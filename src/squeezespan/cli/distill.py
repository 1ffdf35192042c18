"""Train a student backbone from a GAN generator and unlabelled images."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from squeezespan.cli.arguments import parse, peek
from squeezespan.config import DistillConfig, TrainConfig, load_config
from squeezespan.errors import UserError

__all__ = ["run"]

_PROG = "squeezespan distill"
_Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclass(frozen=True)
class _Options(DistillConfig):
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

    from squeezespan.losses.gather import global_rank
    from squeezespan.training.distill import describe_run, distill

    if options.dry_run:
        print(json.dumps(describe_run(config, options.out, options.resume), indent=2))
        return
    distill(config, options.out, options.resume)
    if global_rank() == 0:
        print(options.out / "student.safetensors")


def _settings_to_begin_with(argv: list[str]) -> DistillConfig:
    preset, file, out = (peek(argv, option) for option in ("--preset", "--config", "--out"))
    if preset is not None and file is not None:
        raise UserError("--preset and --config both give the settings; give one of them")
    if preset is not None:
        from squeezespan.presets import find_preset

        return _without_limit(find_preset(preset).build(), argv)
    if file is not None:
        return _without_limit(load_config(Path(file)), argv)
    if "--resume" in argv and out is not None and (Path(out) / "config.json").exists():
        from squeezespan.training.run_folder import distill_folder

        return distill_folder(Path(out)).saved()
    return DistillConfig()


def _without_limit(config: DistillConfig, argv: list[str]) -> DistillConfig:
    """Drop a limit of steps that would end the run before the epochs that are asked for."""
    if peek(argv, "--epochs") is None:
        return config
    return dataclasses.replace(config, train=dataclasses.replace(config.train, max_steps=None))


def _setting_names() -> list[str]:
    return [setting.name for setting in dataclasses.fields(DistillConfig)]
