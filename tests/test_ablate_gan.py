"""The comparison of signals in GAN training: each arm is a training that can be begun."""

import argparse
import json
import runpy
from pathlib import Path

from tiny_gans import tiny_gan
from tiny_runs import make_images

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


def test_an_arm_goes_on_until_its_minutes_are_over(tmp_path: Path) -> None:
    arm = TOOL["Arm"]("plain", 0, tiny_gan(make_images(tmp_path / "images")))
    run = tmp_path / "arms" / "plain--0"
    TOOL["train_for"](arm, run, 1e-9)
    assert TOOL["_progress"](run)[0] == TOOL["FIRST"]
    minutes = TOOL["_progress"](run)[1] / 60 * 1.7
    TOOL["train_for"](arm, run, minutes)
    steps, seconds = TOOL["_progress"](run)
    assert steps > TOOL["FIRST"]
    # A step that took longer than the others may be missing.
    assert seconds / 60 > minutes * (1 - TOOL["ENDS_WITHIN"]) - seconds / steps / 60
    found = json.loads((run / TOOL["RESULT"]).read_text("utf-8"))
    assert found == {"arm": "plain", "seed": 0, "minutes": round(seconds / 60, 2)}
