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

_DISCRIMINATOR = replace(
    _with(arms.SQUEEZE_SPAN_STANDARDIZED, "discriminator", "discriminator on real images", {}),
    real_teacher="discriminator-multi",
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
        arms.SQUEEZE_SPAN_STANDARDIZED,
        _DISCRIMINATOR,
    ),
    protocols=("logistic", "knn"),
    claims=(
        Claim(
            "Of VICReg on both, streams apart are above one batch of both",
            _SEPARATE.key,
            arms.VICREG_MIXED.key,
        ),
        Claim(
            "The discriminator's features of real images add to squeeze and span",
            _DISCRIMINATOR.key,
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
        ),
        Claim("Streams apart are above real images alone", _SEPARATE.key, arms.VICREG_REAL.key),
    ),
)
