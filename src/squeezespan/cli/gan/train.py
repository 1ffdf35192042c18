"""Train a StyleGAN2-ADA or Projected GAN generator on unlabelled images."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezespan.cli.arguments import parse
from squeezespan.cli.begin import begin_with, peek
from squeezespan.cli.options import Flat, Switch, part_of
from squeezespan.cli.plans import check_json, print_plan
from squeezespan.errors import UserError
from squeezespan.gan.config import (
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanRunConfig,
    GanTrainConfig,
    load_gan_config,
    validate_gan,
)
from squeezespan.settings import as_flag

__all__ = ["Options", "run"]

_PROG = "squeezespan gan train"


@dataclass(frozen=True, kw_only=True)
class Options(GanTrainConfig):
    """What `squeezespan gan train` takes."""

    train: Flat[GanRunConfig] = field(default_factory=GanRunConfig)
    preset: str | None = None
    """Where the settings begin: auto looks at the images; `squeezespan presets` lists others."""
    config: Path | None = None
    """Another run's `config.json`, or the same in TOML or YAML, to begin with."""
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
    """Run `squeezespan gan train`.

    Args:
        argv: the arguments after `gan train`.

    Raises:
        UserError: an option, a file or a folder is not usable.
        TrainingError: a loss stopped being finite.
    """
    begin = _settings_to_begin_with(argv)
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "", default=begin)
    config = part_of(GanTrainConfig, options)
    validate_gan(config, where="", spell=as_flag)
    check_json(options.json, options.dry_run)

    from squeezespan.gan.summary import gan_plan_rows
    from squeezespan.gan.train import describe_gan_run, train_gan
    from squeezespan.losses.gather import global_rank

    if options.dry_run:
        plan = describe_gan_run(config, options.out, options.resume)
        print_plan(plan, gan_plan_rows, options.json)
        return
    train_gan(config, options.out, options.resume)
    if global_rank() == 0:
        print(options.out / "generator.safetensors")


def _settings_to_begin_with(argv: list[str]) -> GanTrainConfig:
    def preset(name: str) -> GanTrainConfig:
        from squeezespan.generators.registry import load_generator
        from squeezespan.presets.gan import AUTO, find_gan_preset
        from squeezespan.presets.gan_auto import auto_gan_preset

        if name != AUTO:
            return _with_sizes_open(find_gan_preset(name).build(), argv)
        if peek(argv, "--data") is None:
            raise UserError("--preset auto looks at the images; name them with --data")
        side, batch = (peek(argv, option) or "" for option in ("--resolution", "--batch-size"))
        origin = peek(argv, "--init.generator")
        if origin is not None and not side.isdigit():
            side = str(load_generator(origin).info.resolution)
        found = auto_gan_preset(
            peek(argv, "--data") or "",
            resolution=int(side) if side.isdigit() else None,
            batch_size=int(batch) if batch.isdigit() else None,
            device=peek(argv, "--device") or "auto",
        )
        return _with_sizes_open(found, argv)

    def run(out: Path) -> GanTrainConfig:
        from squeezespan.gan.train import gan_folder

        return gan_folder(out).saved()

    return begin_with(argv, GanTrainConfig(), preset=preset, file=load_gan_config, run=run)


def _with_sizes_open(config: GanTrainConfig, argv: list[str]) -> GanTrainConfig:
    """Drop a preset's sizes of networks that the training starts from: theirs are taken."""
    sizes: dict[str, Any] = {}
    if peek(argv, "--init.generator") is not None:
        sizes["generator"] = GanGeneratorConfig(family=config.generator.family)
    if peek(argv, "--init.discriminator") is not None:
        sizes["discriminator"] = GanDiscriminatorConfig(family=config.discriminator.family)
    return dataclasses.replace(config, **sizes)
