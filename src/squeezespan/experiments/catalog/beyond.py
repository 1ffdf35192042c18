"""Beyond the paper: settings of our own, each beside the same training without it."""

from dataclasses import replace

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Changes, Claim, Experiment

__all__ = ["BEYOND"]


def _with(arm: Arm, key: str, what: str, changes: Changes) -> Arm:
    return replace(arm, key=f"{arm.key}--{key}", title=f"{arm.title}, {what}", changes=changes)


_SEPARATE = _with(
    arms.VICREG_MIXED, "separate", "streams apart", {"method": {"mixture": "separate"}}
)

BEYOND = Experiment(
    "beyond",
    "Beyond the paper",
    "Settings that the paper doesn't have, one at a time, each beside the training without it.",
    (
        arms.VICREG_REAL,
        arms.VICREG_SYN,
        arms.VICREG_MIXED,
        _SEPARATE,
    ),
    protocols=("logistic", "knn"),
    claims=(
        Claim(
            "Of VICReg on both, streams apart are above one batch of both",
            _SEPARATE.key,
            arms.VICREG_MIXED.key,
        ),
        Claim("Streams apart are above real images alone", _SEPARATE.key, arms.VICREG_REAL.key),
    ),
)
