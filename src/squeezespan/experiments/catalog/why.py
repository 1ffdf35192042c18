"""Why the standardized target teaches faster, and what it is made of."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Changes, Claim, Experiment

__all__ = ["WHY"]


def _fixed(key: str, title: str, changes: Changes) -> Arm:
    preset = arms.SQUEEZE_STANDARDIZED
    return Arm(key, title, preset.mini, preset.paper, changes)


def _module(key: str, title: str, changes: Changes) -> Arm:
    return Arm(key, title, arms.SQUEEZE.mini, arms.SQUEEZE.paper, changes)


def _span(alpha: float) -> Arm:
    preset = arms.SQUEEZE_SPAN_STANDARDIZED
    title = f"Squeeze and Span, standardized target, {alpha:g} synthetic"
    return Arm(f"span-{alpha:g}", title, preset.mini, preset.paper, {"method": {"alpha": alpha}})


WHY = Experiment(
    "why",
    "Why the standardized target teaches faster",
    "The fixed target apart from the larger loss (its mean squared error begins near 1, the "
    "squeeze module's near 0.2) and from the narrower embedding that come with it.",
    (
        arms.SQUEEZE_STANDARDIZED,
        _fixed("small-loss", "standardized target, lambda 5", {"method": {"invariance": 5.0}}),
        _fixed("latent", "standardized w", {"source": {"kind": "latent"}}),
        _fixed("b4-b8", "standardized target, b4-b8", {"source": {"blocks": "b4-b8"}}),
        _fixed("b16-b32", "standardized target, b16-b32", {"source": {"blocks": "b16-b32"}}),
        _fixed("raw", "raw features", {"method": {"target": "raw", "invariance": 1.0}}),
        arms.SQUEEZE,
        _module("large-loss", "squeeze module, lambda 117", {"method": {"invariance": 117.0}}),
        _module("narrow", "squeeze module, embedding of 592", {"method": {"embed_dim": 592}}),
        _module(
            "student", "squeeze module, student regularized", {"method": {"regularize": "student"}}
        ),
        arms.VICREG_REAL,
        Arm(
            "vicreg-narrow",
            "VICReg, real images, embedding of 592",
            arms.VICREG_REAL.mini,
            arms.VICREG_REAL.paper,
            {"method": {"embed_dim": 592}},
        ),
        arms.SQUEEZE_SPAN_STANDARDIZED,
        _span(0.25),
        _span(0.75),
    ),
    protocols=("logistic", "knn"),
    steps=1400,
    claims=(
        Claim("A smaller loss costs", "squeeze-standardized", "small-loss"),
        Claim("A larger loss mends the squeeze module", "large-loss", "squeeze"),
        Claim("A narrower embedding mends it", "narrow", "squeeze"),
        Claim("The fixed target is above the module", "squeeze-standardized", "squeeze"),
        Claim("Features are above w", "squeeze-standardized", "latent"),
    ),
)
