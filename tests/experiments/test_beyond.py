"""What goes beyond the paper: every arm learns, and goes on after a break as if there were none."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoint_files.networks import make_discriminator
from crashes import CrashError, crash_before
from safetensors.torch import load_file
from shrunk_runs import put_material, shrunk
from tiny_runs import read_metrics

from squeezespan.discriminators.files import save_discriminator
from squeezespan.distillation.distill import distill
from squeezespan.distillation.job import StudentJob
from squeezespan.experiments.asked import Asked
from squeezespan.experiments.catalog.beyond import BEYOND
from squeezespan.experiments.cells import Cell, plan_cells
from squeezespan.experiments.columns import Column
from squeezespan.experiments.reproduce import describe_plan, plan_experiment

DISCRIMINATOR = str(Path(__file__).parents[2] / "results" / "gan-stylegan2-cifar10")
COLUMN = Column("cifar10", "cifar10:here", "builtin:stylegan2-cifar10", DISCRIMINATOR)
CELLS = {cell.arm.key: cell for cell in plan_cells(BEYOND, "mini", [COLUMN], [0])}
OURS = [cell for cell in CELLS.values() if "--" in cell.arm.key]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("beyond")
    put_material(place)
    return place


@pytest.mark.parametrize("cell", OURS, ids=lambda cell: str(cell.arm.key))
def test_a_break_leaves_no_trace(
    cell: Cell, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cell.config is not None
    config = shrunk(cell.config, folder, batch_size=16)
    config = replace(
        config,
        train=replace(config.train, max_steps=2, checkpoint_minutes=0),
        source=replace(config.source, statistics_images=20),
        images=replace(config.images, resolution=16),
        monitor=replace(config.monitor, log_every=1),
    )
    whole = distill(config, tmp_path / "whole")
    crash_before(monkeypatch, StudentJob, [1])
    with pytest.raises(CrashError):
        distill(config, tmp_path / "broken")
    broken = distill(config, tmp_path / "broken", resume=True)
    ends = [load_file(run / "student.safetensors") for run in (whole, broken)]
    assert ends[0].keys() == ends[1].keys()
    assert all(ends[0][name].equal(ends[1][name]) for name in ends[0])
    assert read_metrics(whole) == read_metrics(broken)


def test_each_is_beside_the_training_without_it() -> None:
    for cell in OURS:
        before, _, _ = cell.arm.key.partition("--")
        assert before in CELLS
        assert CELLS[before].preset == cell.preset


def test_a_plan_names_them(tmp_path: Path) -> None:
    asked = Asked(discriminator=(DISCRIMINATOR,))
    told = describe_plan(plan_experiment("beyond", asked, tmp_path))
    assert all(f"{cell.arm.title}, cifar10-mini, seed 0" in told for cell in CELLS.values())
    told = describe_plan(plan_experiment("beyond", Asked(), tmp_path))
    assert re.search("left out: .*discriminator on real images.*name it with --discriminator", told)


def test_a_training_is_known_by_the_discriminator_that_teaches(tmp_path: Path) -> None:
    other = tmp_path / "discriminator.safetensors"
    save_discriminator(other, make_discriminator(), {})
    column = replace(COLUMN, discriminator=str(other))
    ours, others = (plan_cells(BEYOND, "mini", [place], [0]) for place in (COLUMN, column))
    changed = [a.arm.key for a, b in zip(ours, others, strict=True) if a.key != b.key]
    assert changed == [cell.arm.key for cell in ours if cell.arm.real_teacher is not None]
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(Path(DISCRIMINATOR) / "discriminator.safetensors", moved)
    again = plan_cells(BEYOND, "mini", [replace(COLUMN, discriminator=str(moved))], [0])
    assert [cell.folder for cell in again] == [cell.folder for cell in ours]
