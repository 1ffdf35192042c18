"""The trainings of an experiment: arms x seeds x data sets, each known by what it depends on."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from squeezespan.config import DistillConfig, MethodConfig, config_from_dict
from squeezespan.discriminators.projected.files import discriminator_file
from squeezespan.errors import UserError
from squeezespan.experiments.columns import Column
from squeezespan.experiments.experiment import Arm, Changes, Experiment, Scale
from squeezespan.files import file_sha256
from squeezespan.generators.registry import generator_sha256, load_generator
from squeezespan.presets import find_preset, list_presets
from squeezespan.runs.run_folder import MAY_DIFFER
from squeezespan.settings import flatten, to_dict

__all__ = ["Cell", "missing", "other_setting", "passes_per_image", "plan_cells", "with_steps"]


_Network = Literal["generator", "discriminator"]
_PLACES = {"data", "gan", "discriminator"}
"""Settings that name files: another machine keeps them elsewhere."""


@dataclass(frozen=True)
class Cell:
    """One training of an experiment."""

    arm: Arm
    column: Column
    seed: int
    config: DistillConfig | None
    """None where nothing is trained, and a discriminator is judged itself."""
    preset: str
    """That the settings begin with, or how the discriminator is judged."""
    gan_sha256: str | None
    """Of the generator's file, or of a discriminator's that is judged itself; None where none is
    used."""
    discriminator_sha256: str | None = None
    """Of the file of a discriminator that teaches; None where none does."""

    @property
    def title(self) -> str:
        """What the cell is called in progress lines."""
        return f"{self.arm.title}, {self.column.name}, seed {self.seed}"

    @property
    def steps(self) -> int | None:
        """Optimiser steps; None where epochs set the length, or nothing is trained."""
        return self.config.train.max_steps if self.config is not None else None

    @property
    def folder(self) -> str:
        """Name of the cell's folder: the same for the same training, whatever the table."""
        return f"{self.preset}--{self.column.images}--{self.seed}--{self.key}"

    @property
    def key(self) -> str:
        """Twelve digits of the SHA-256 of everything that the student's weights depend on.

        Settings at their defaults are left out, so that one which is new changes no key.
        """
        return self._digest()

    @property
    def unseeded_key(self) -> str:
        """The key without the seed."""
        return self._digest("train.seed")

    def _digest(self, *without: str) -> str:
        settings: dict[str, Any] = {"direct": self.preset}
        if self.config is not None:
            defaults = flatten(DistillConfig())
            settings = {
                name: value
                for name, value in flatten(self.config).items()
                if name not in MAY_DIFFER and name not in without and value != defaults[name]
            }
        # The same on a machine that keeps the images elsewhere; a run that goes on compares them.
        settings |= {"data": self.column.images, "gan": self.gan_sha256}
        if self.discriminator_sha256 is not None:
            settings["discriminator"] = f"{self.arm.real_teacher}:{self.discriminator_sha256}"
        text = json.dumps(settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def other_setting(config: DistillConfig, saved: DistillConfig) -> str | None:
    """Name a setting by which two trainings differ; what is `auto` differs from nothing.

    Args:
        config: of a cell.
        saved: of a training that is done, perhaps on another machine.
    """
    before = flatten(saved)
    for name, value in flatten(config).items():
        if name not in MAY_DIFFER | _PLACES and value not in ("auto", before[name]):
            return f"{name} is {before[name]!r}, not {value!r}"
    return None


def plan_cells(
    experiment: Experiment,
    scale: Scale,
    columns: Sequence[Column],
    seeds: Sequence[int],
    *,
    steps: int | None = None,
    changes: Changes | None = None,
) -> list[Cell]:
    """Give the trainings of an experiment, all arms of the first seed first.

    Args:
        experiment: what to train.
        scale: which settings.
        columns: data sets and generators.
        seeds: of the trainings.
        steps: length at the scale `mini`, instead of the experiment's; None leaves it.
        changes: settings above all others, such as the device.

    Raises:
        UserError: no preset of that name, settings that are impossible, or a generator's file that
            isn't there.
    """
    sha256_of = functools.cache(_sha256)
    return [
        _cell(experiment, arm, scale, column, seed, steps, changes or {}, sha256_of)
        for seed in seeds
        for column in columns
        for arm in experiment.arms
        if missing(arm, column) is None
    ]


def missing(arm: Arm, column: Column) -> str | None:
    """Say what an arm would need and a column lacks, if anything."""
    if (arm.direct or arm.real_teacher) and column.discriminator is None:
        return "its discriminator is not known; name it with --discriminator"
    if arm.needs and not set(arm.needs) <= _blocks(column.gan):
        return f"its generator has no block {arm.needs[-1]}"
    return None


def with_steps(cell: Cell, steps: int) -> Cell:
    """Give the cell with another length."""
    if cell.config is None:
        return cell
    train = replace(cell.config.train, max_steps=steps, epochs=max(cell.config.train.epochs, steps))
    return replace(cell, config=replace(cell.config, train=train))


def passes_per_image(method: MethodConfig) -> float:
    """Passes through the student for each image of a batch, on average."""
    if method.name == "emp-ssl":
        return method.patches
    synthetic_views = 2 if method.name in ("vicreg", "simsiam") else 1
    real_views = 1 if method.name == "encoding" else 2
    return method.alpha * synthetic_views + (1 - method.alpha) * real_views


@functools.cache
def _blocks(gan: str) -> frozenset[str]:
    return frozenset(load_generator(gan).info.block_channels)


def _cell(
    experiment: Experiment,
    arm: Arm,
    scale: Scale,
    column: Column,
    seed: int,
    steps: int | None,
    above: Changes,
    sha256_of: Callable[[_Network, str], str],
) -> Cell:
    if arm.direct:
        assert column.discriminator is not None
        sha256 = sha256_of("discriminator", column.discriminator)
        return Cell(arm, column, seed, None, arm.direct, sha256)
    preset = arm.preset(scale, column.name)
    if scale == "paper" and preset not in {one.name for one in list_presets()}:
        # The images' own name, where a table calls them by something else.
        preset = arm.preset(scale, column.images)
    try:
        values = to_dict(find_preset(preset).build())
    except UserError as error:
        raise UserError(f"{experiment.name} on {column.name} at --scale {scale}: {error}") from None
    values["data"] = column.data
    layers = [arm.changes]
    if scale == "mini":
        length = steps or arm.steps or experiment.steps
        layers += [arm.mini_changes, {"train": {"max_steps": length, "num_workers": 0}}]
    layers += [{"train": {"seed": seed}}, above]
    for section, name, value in _settings(layers):
        values[section] = values[section] | {name: value}
    needs_gan = values["method"]["alpha"] > 0
    values["gan"] = column.gan if needs_gan else None
    judge = None
    if arm.real_teacher is not None:
        assert column.discriminator is not None
        values["discriminator"] = f"{arm.real_teacher}:{column.discriminator}"
        judge = sha256_of("discriminator", column.discriminator)
    config = config_from_dict(values, where=f"{experiment.name}, {arm.title}")
    gan = sha256_of("generator", column.gan) if needs_gan else None
    return Cell(arm, column, seed, config, preset, gan, judge)


def _sha256(network: _Network, name: str) -> str:
    if network == "generator":
        return generator_sha256(name)
    return file_sha256(discriminator_file(name))


def _settings(layers: Sequence[Changes]) -> Iterator[tuple[str, str, Any]]:
    for changes in layers:
        for section, settings in changes.items():
            for name, value in settings.items():
                yield section, name, value
