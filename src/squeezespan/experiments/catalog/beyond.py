"""Beyond the paper: settings of our own, each beside the same training without it."""

from dataclasses import replace

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Changes, Claim, Experiment

__all__ = ["BEYOND"]

_BASES = (
    arms.VICREG_REAL,
    arms.VICREG_SYN,
    arms.VICREG_MIXED,
    arms.SQUEEZE,
    arms.SQUEEZE_STANDARDIZED,
    arms.SQUEEZE_SPAN_STANDARDIZED,
)


def _with(arm: Arm, key: str, what: str, changes: Changes) -> Arm:
    return replace(arm, key=f"{arm.key}--{key}", title=f"{arm.title}, {what}", changes=changes)


_SEPARATE = _with(
    arms.VICREG_MIXED, "separate", "streams apart", {"method": {"mixture": "separate"}}
)
_FEW: Changes = {"method": {"alpha": 0.25}}
_WEAK: Changes = {"augment": {"synthetic": 0.5}}
_ADAINF: Changes = {"method": {"alpha": 2 / 3}, "augment": {"jitter": 0.4}}
"""Ten copies of the 50,000 real images beside a million synthetic ones; crops and strengths of the
colour changes are theirs already, and the probability of the latter is halved."""
_NEARBY: Changes = {"source": {"nearby": 0.2}}
_UNBIASED: Changes = {"method": {"covariance_estimate": "unbiased"}}
_DEVIATIONS: Changes = {"source": {"statistics": "mean-std"}}
_AND_W: Changes = {"source": {"statistics": "mean-std", "latent": True}}
_REUSE: Changes = {"source": {"reuse": 4}}
_DISCRIMINATOR = replace(
    _with(arms.SQUEEZE_SPAN_STANDARDIZED, "discriminator", "discriminator on real images", {}),
    real_teacher="discriminator-multi",
)
_OURS = (
    _SEPARATE,
    *(
        _with(arms.VICREG_MIXED, key, what, changes)
        for key, what, changes in (
            ("few", "a quarter synthetic", _FEW),
            ("weak", "synthetic ones weakly augmented", _WEAK),
            ("few-weak", "a quarter synthetic, weakly augmented", {**_FEW, **_WEAK}),
            ("adainf", "share and augmentation of AdaInf", _ADAINF),
        )
    ),
    _with(arms.VICREG_REAL, "unbiased", "covariance less its floor", _UNBIASED),
    _with(arms.SQUEEZE, "unbiased", "covariance less its floor", _UNBIASED),
    *(
        _with(base, key, what, changes)
        for base in (arms.SQUEEZE, arms.SQUEEZE_STANDARDIZED)
        for key, what, changes in (
            ("deviations", "means and standard deviations", _DEVIATIONS),
            ("deviations-w", "means, standard deviations and w", _AND_W),
        )
    ),
    *(
        _with(base, "nearby", "a view of a latent nearby", _NEARBY)
        for base in (arms.VICREG_SYN, arms.SQUEEZE_STANDARDIZED)
    ),
    _DISCRIMINATOR,
)
_REUSED = tuple(
    _with(base, "reuse", "every synthetic image in four steps", _REUSE)
    for base in (arms.SQUEEZE_STANDARDIZED, arms.SQUEEZE_SPAN_STANDARDIZED)
)
"""Not to be better at as many images, but as good in less time."""


def _without(arm: Arm) -> Arm:
    """The arm without the setting; its key begins that of the one with it."""
    return next(base for base in _BASES if base.key == arm.key.partition("--")[0])


def _adds(arm: Arm) -> Claim:
    """That an arm is above the one without its setting."""
    base = _without(arm)
    return Claim(f"{arm.title}, is above {base.title}", arm.key, base.key)


def _costs_nothing(arm: Arm) -> Claim:
    """That an arm is at most a point below the one without its setting."""
    base = _without(arm)
    return Claim(f"{arm.title}, is level with {base.title} (1 point)", arm.key, base.key, by=-1.0)


BEYOND = Experiment(
    "beyond",
    "Beyond the paper",
    "Settings that the paper doesn't have, one at a time, each beside the training without it.",
    (*_BASES, *_OURS, *_REUSED),
    protocols=("logistic", "knn"),
    claims=(
        *(_adds(arm) for arm in _OURS),
        *(_costs_nothing(arm) for arm in _REUSED),
        Claim("With streams apart, both are above real images", _SEPARATE.key, "vicreg-real"),
        Claim("With streams apart, both are above synthetic images", _SEPARATE.key, "vicreg-syn"),
    ),
)
