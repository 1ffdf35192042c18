"""The mini presets' settings: as many trials for every method, on images held out of train."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Changes, Experiment

__all__ = ["SEARCH"]

_METHODS = (
    arms.VICREG_REAL,
    arms.VICREG_MIXED,
    arms.SIMSIAM_REAL,
    arms.SQUEEZE_STANDARDIZED,
    arms.SQUEEZE_SPAN_STANDARDIZED,
    arms.SQUEEZE_SPAN,
)
_BASE: dict[str, dict[str, object]] = {
    "optim": {"base_lr": 0.2},
    "augment": {"crop_scale": [0.2, 1.0], "jitter": 0.8, "grayscale": 0.2, "synthetic": 1.0},
    "monitor": {"knn_every": 0},
}
"""What the trials change, whatever the presets have become since."""
_TRIALS: dict[str, Changes] = {
    "base": {},
    "weak-augmentation": {"augment": {"crop_scale": [0.35, 1.0], "jitter": 0.4, "grayscale": 0.1}},
    "rate-0.4": {"optim": {"base_lr": 0.4}},
    "weights": {},
    "next": {},
}
_WEIGHTS: dict[str, Changes] = {
    arms.SIMSIAM_REAL.key: {"method": {"embed_dim": 2048, "predictor_dim": 512}},
    arms.SQUEEZE_STANDARDIZED.key: {"method": {"invariance": 10.0}},
}
"""The trial `weights` of the methods whose covariance has none; SimSiam gets wider layers."""
_OTHER_WEIGHTS: Changes = {"method": {"covariance": 0.25}}
_NEXT: dict[str, Changes] = {
    arms.VICREG_MIXED.key: {"augment": {"synthetic": 0.5}},
    arms.SQUEEZE_STANDARDIZED.key: {"optim": {"base_lr": 0.4}, "augment": {"synthetic": 0.5}},
    arms.SQUEEZE_SPAN_STANDARDIZED.key: {"optim": {"base_lr": 0.4}, "augment": {"synthetic": 0.5}},
}
"""The trial `next`, to which the four before point. Fixed targets gained by the higher rate and by
the weaker augmentation, which VICReg's views don't like; no rate did better on the mixture."""
_NEXT_RATE: Changes = {"optim": {"base_lr": 0.8}}
"""The same of the methods whose best trial was the higher rate."""


def _trial(method: Arm, trial: str, changes: Changes) -> Arm:
    if trial == "weights":
        changes = _WEIGHTS.get(method.key, _OTHER_WEIGHTS)
    if trial == "next":
        changes = _NEXT.get(method.key, _NEXT_RATE)
    merged = {
        section: {**_BASE.get(section, {}), **changes.get(section, {})}
        for section in {**_BASE, **changes}
    }
    title = f"{method.title}: {trial}"
    return Arm(f"{method.key}--{trial}", title, method.mini, method.paper, mini_changes=merged)


SEARCH = Experiment(
    "search",
    "The search of the mini presets' settings",
    "One thing changed at a time, then once what that points to; one seed, judged on images held "
    "out of train; no test image is read.",
    tuple(
        _trial(method, trial, changes) for trial, changes in _TRIALS.items() for method in _METHODS
    ),
    protocols=("logistic", "knn"),
    judges="held-out",
    steps=1400,
    scales=("mini",),
)
