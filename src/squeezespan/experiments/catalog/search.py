"""Searches of settings: as many trials for every method, on images held out of train."""

from collections.abc import Sequence

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Changes, Experiment

__all__ = ["SEARCH", "SEARCH_DEMO"]

_METHODS = (
    arms.VICREG_REAL,
    arms.VICREG_MIXED,
    arms.SIMSIAM_REAL,
    arms.SQUEEZE_STANDARDIZED,
    arms.SQUEEZE_SPAN_STANDARDIZED,
    arms.SQUEEZE_SPAN,
)
_DEMO_METHODS = (
    arms.VICREG_REAL,
    arms.VICREG_MIXED,
    arms.SQUEEZE_STANDARDIZED,
    arms.SQUEEZE_SPAN_STANDARDIZED,
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


_DEMO_STEPS = 68
_LIKE_DEMO: dict[str, dict[str, object]] = {
    # A rise of 0.15 of the steps, where 45,000 images are learnt from.
    "optim": {"warmup_epochs": 0.029},
    "source": {"statistics_images": 1000},
}


def _trial(method: Arm, trial: str, changes: Changes, base: Changes) -> Arm:
    if trial == "weights":
        changes = _WEIGHTS.get(method.key, _OTHER_WEIGHTS)
    if trial == "next":
        changes = _NEXT.get(method.key, _NEXT_RATE)
    title = f"{method.title}: {trial}"
    merged = _merged(_merged(_BASE, base), changes)
    return Arm(f"{method.key}--{trial}", title, method.mini, method.paper, mini_changes=merged)


def _merged(below: Changes, above: Changes) -> Changes:
    return {
        section: {**below.get(section, {}), **above.get(section, {})}
        for section in {**below, **above}
    }


def _trials(methods: Sequence[Arm], base: Changes) -> tuple[Arm, ...]:
    return tuple(
        _trial(method, trial, changes, base)
        for trial, changes in _TRIALS.items()
        for method in methods
    )


SEARCH = Experiment(
    "search",
    "The search of the mini presets' settings",
    "One thing changed at a time, then once what that points to; one seed, judged on images held "
    "out of train; no test image is read.",
    _trials(_METHODS, {}),
    protocols=("logistic", "knn"),
    judges="held-out",
    steps=1400,
    scales=("mini",),
)

SEARCH_DEMO = Experiment(
    "search-demo",
    "The search of the demo's settings",
    "The same trials as of the mini presets, as short as a training of the demo is on two CPU "
    "cores.",
    _trials(_DEMO_METHODS, _LIKE_DEMO),
    protocols=("logistic", "knn"),
    judges="held-out",
    steps=_DEMO_STEPS,
    scales=("mini",),
)
