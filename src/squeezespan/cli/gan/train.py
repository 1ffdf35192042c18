"""Train a StyleGAN2-ADA generator on unlabelled images."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from squeezespan.cli.arguments import begin_with, parse
from squeezespan.gan.config import GanRunConfig, GanTrainConfig, load_gan_config

__all__ = ["run"]

_PROG = "squeezespan gan train"
_Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclass(frozen=True)
class _Options(GanTrainConfig):
    train: Annotated[GanRunConfig, tyro.conf.arg(name="")] = field(default_factory=GanRunConfig)
    preset: str | None = None
    """Where the settings begin: stylegan2-cifar, stylegan2-stl10 or stylegan2-cpu."""
    config: Path | None = None
    """Another run's config.json to begin with."""
    out: Path = field(kw_only=True, default=tyro.MISSING)
    """The run folder to make."""
    resume: _Flag = False
    """Continue the run in `--out` where it stopped; its settings are the defaults then."""
    dry_run: _Flag = False
    """Check everything, print the resolved settings and the run's length, and write nothing."""


def run(argv: list[str]) -> None:
    """Run `squeezespan gan train`.

    Args:
        argv: the arguments after `gan train`.

    Raises:
        UserError: an option, a file or a folder is not usable.
        TrainingError: a loss stopped being finite.
    """
    begin = _settings_to_begin_with(argv)
    names = [setting.name for setting in dataclasses.fields(GanTrainConfig)]
    default = _Options(**{name: getattr(begin, name) for name in names})
    options = parse(_Options, argv, prog=_PROG, description=__doc__ or "", default=default)
    config = GanTrainConfig(**{name: getattr(options, name) for name in names})

    from squeezespan.gan.train import describe_gan_run, train_gan

    if options.dry_run:
        print(json.dumps(describe_gan_run(config, options.out, options.resume), indent=2))
        return
    train_gan(config, options.out, options.resume)
    print(options.out / "generator.safetensors")


def _settings_to_begin_with(argv: list[str]) -> GanTrainConfig:
    def preset(name: str) -> GanTrainConfig:
        from squeezespan.presets.gan import find_gan_preset

        return find_gan_preset(name)

    def run(out: Path) -> GanTrainConfig:
        from squeezespan.gan.train import gan_folder

        return gan_folder(out).saved()

    return begin_with(argv, GanTrainConfig(), preset=preset, file=load_gan_config, run=run)
