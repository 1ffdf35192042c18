"""The comparison of signals in GAN training: each arm is a training that can be begun."""

import argparse
import runpy
from pathlib import Path

from squeezespan.gan.combinations import partial_judges
from squeezespan.gan.config import validate_gan

TOOL = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "ablate_gan.py"))


def test_every_arm_is_one_change_of_a_training_that_can_be_begun() -> None:
    given = argparse.Namespace(
        data="folder:x",
        student="run",
        judges=["efficientnet-lite0"],
        seeds=[0, 1],
        arms=list(TOOL["ARMS"]),
        score_images=5000,
        snapshot_kimg=25.0,
    )
    arms = TOOL["make_arms"](given)
    assert len(arms) == 2 * len(TOOL["ARMS"])
    configs = {name: arm.config for name, arm in arms.items()}
    assert len(set(map(repr, configs.values()))) == len(configs)
    for name, config in configs.items():
        validate_gan(config)
        assert not partial_judges(config)
        assert config.init == configs["plain--0"].init
        assert config.train.seed == int(name[-1])
    assert configs["aided--1"].aid.backbone == configs["clusters--0"].clusters.backbone == "run"
