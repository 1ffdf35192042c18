"""Definitions that hold together."""

from pathlib import Path

import pytest

from squeezespan.experiments.catalog import EXPERIMENTS
from squeezespan.experiments.cells import plan_cells
from squeezespan.experiments.columns import Column
from squeezespan.experiments.experiment import Experiment

each = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS.keys())
DISCRIMINATOR = str(Path(__file__).parents[2] / "results" / "gan-stylegan2-cifar10")
GAN = "builtin:stylegan2-cifar10"


@each
def test_every_arm_has_settings_that_go_together(experiment: Experiment) -> None:
    column = Column("cifar10", "cifar10:data", GAN, DISCRIMINATOR)
    arms = sum(not {"b64", "b128"} & set(arm.needs) for arm in experiment.arms)
    for scale in experiment.scales:
        planned = plan_cells(experiment, scale, [column], [0])
        assert len(planned) == arms
        if scale == "mini":
            assert len({cell.key for cell in planned}) == arms


@each
def test_keys_refer_to_arms(experiment: Experiment) -> None:
    keys = [arm.key for arm in experiment.arms]
    assert len(set(keys)) == len(keys)
    named = [key for claim in experiment.claims for key in (claim.better, claim.than)]
    assert {*named, *experiment.paper} <= set(keys)


@each
def test_settings_are_not_chosen_on_test_images(experiment: Experiment) -> None:
    """The linear probe reads test images; choices are made by the features of held-out ones."""
    assert experiment.judges != "held-out" or "linear" not in experiment.protocols
