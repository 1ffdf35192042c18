"""Which trainings an experiment has, and what tells them apart."""

from pathlib import Path

import pytest
from tiny_runs import make_gan

from squeezespan.config import DistillConfig, MethodConfig
from squeezespan.errors import UserError
from squeezespan.experiments.budget import equalise
from squeezespan.experiments.catalog import find_experiment
from squeezespan.experiments.cells import Cell, other_setting, passes_per_image, plan_cells
from squeezespan.experiments.columns import Column
from squeezespan.experiments.experiment import Changes

COLUMN = Column("cifar10", "cifar10:here", "builtin:stylegan2-cifar10")


def cells(column: Column = COLUMN, changes: Changes | None = None) -> dict[str, Cell]:
    planned = plan_cells(find_experiment("table2"), "mini", [column], [0], changes=changes)
    return {cell.arm.key: cell for cell in planned}


def config(cell: Cell) -> DistillConfig:
    assert cell.config is not None
    return cell.config


def test_a_training_is_known_by_what_its_weights_depend_on(tmp_path: Path) -> None:
    ours = cells()
    assert len({cell.key for cell in ours.values()}) == len(ours)
    elsewhere = cells(
        Column("other", "folder:there/cifar10", COLUMN.gan), {"train": {"device": "cuda"}}
    )
    assert [cell.folder for cell in elsewhere.values()] == [cell.folder for cell in ours.values()]

    other = cells(Column("cifar10", COLUMN.data, str(make_gan(tmp_path / "gan.safetensors"))))
    assert other["squeeze"].key != ours["squeeze"].key
    assert other["vicreg-real"].key == ours["vicreg-real"].key

    seeds = plan_cells(find_experiment("table2"), "mini", [COLUMN], [0, 1])
    assert len({cell.key for cell in seeds}) == len(seeds)


def test_tables_share_trainings() -> None:
    ablation = plan_cells(find_experiment("ablation"), "mini", [COLUMN], [0])
    shared = {cell.folder for cell in ablation} & {cell.folder for cell in cells().values()}
    assert len(shared) == 2


def test_a_setting_that_differs_is_named_but_not_one_left_to_the_machine() -> None:
    ours = config(cells()["squeeze"])
    settled = config(cells(changes={"train": {"precision": "bf16"}})["squeeze"])
    assert other_setting(ours, settled) is None
    longer = config(cells(changes={"train": {"max_steps": 7}})["squeeze"])
    assert other_setting(ours, longer) == "train.max_steps is 7, not 3500"


def test_passes_of_a_batch() -> None:
    assert passes_per_image(MethodConfig("squeeze-span", 0.5)) == 1.5
    assert passes_per_image(MethodConfig("squeeze-span", 1.0)) == 1.0
    assert passes_per_image(MethodConfig("vicreg", 0.5)) == 2.0
    assert passes_per_image(MethodConfig("emp-ssl", 0.0)) == 20
    assert passes_per_image(MethodConfig("emp-ssl", 0.5, patches=7)) == 7


def test_equal_passes_and_equal_time_lengthen_the_cheaper_arms() -> None:
    planned = cells()
    same = equalise(list(planned.values()), "images", lambda cell: 1.0)
    assert {cell.steps for cell in same} == {3500}
    by_passes = equalise(list(planned.values()), "passes", lambda cell: 1.0)
    steps = {cell.arm.key: cell.steps for cell in by_passes}
    assert steps["vicreg-real"] == 3500
    assert steps["squeeze"] == 7000
    assert steps["squeeze-span"] == round(3500 * 2 / 1.5)
    seconds = {"vicreg-real": 0.5, "squeeze": 0.2}
    by_time = equalise(list(planned.values()), "time", lambda cell: seconds.get(cell.arm.key, 0.4))
    steps = {cell.arm.key: cell.steps for cell in by_time}
    assert steps["vicreg-real"] == 3500
    assert steps["squeeze"] == 8750


def test_strong_baselines_are_as_long_in_passes() -> None:
    experiment = find_experiment("baselines")
    assert experiment.budget == "passes"
    planned = plan_cells(experiment, "mini", [COLUMN], [0])
    equal = equalise(planned, "passes", lambda cell: 1.0)
    passes, steps = {}, {}
    for cell in equal:
        key, train = cell.arm.key, config(cell).train
        steps[key] = cell.steps
        passes[key] = train.batch_size * (cell.steps or 0) * passes_per_image(config(cell).method)
    assert steps["emp-ssl"] == 448
    assert steps["vicreg-strong"] == steps["simsiam-strong"] == 1750
    assert steps["vicreg-real"] == 3500
    # Within a step of each other.
    assert set(passes.values()) <= {896_000, 896_064}
    assert passes["emp-ssl"] == passes["vicreg-strong"] == passes["vicreg-real"] == 896_000
    longer = plan_cells(experiment, "mini", [COLUMN], [0], steps=100)
    steps = {cell.arm.key: cell.steps for cell in equalise(longer, "passes", lambda cell: 1.0)}
    assert (steps["emp-ssl"], steps["vicreg-real"]) == (100, round(100 * 2000 / 256))


def test_strong_baselines_at_the_papers_scale_have_their_own_lengths() -> None:
    planned = plan_cells(find_experiment("baselines"), "paper", [COLUMN], [0])
    epochs = {cell.arm.key: config(cell).train.epochs for cell in planned}
    assert (epochs["emp-ssl"], epochs["vicreg-strong"], epochs["vicreg-real"]) == (30, 1000, 800)


def test_a_block_that_the_generator_lacks_is_no_arm() -> None:
    planned = plan_cells(find_experiment("table6"), "mini", [COLUMN], [0])
    assert [cell.arm.key for cell in planned] == ["b4-b8", "b16-b32", "squeeze"]


def test_the_paper_has_no_settings_for_other_data() -> None:
    with pytest.raises(UserError, match="table2 on flowers at --scale paper: there is no preset"):
        plan_cells(find_experiment("table2"), "paper", [Column("flowers", "folder:x", "g")], [0])
