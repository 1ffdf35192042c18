"""Our first table: the methods that a user chooses among, with the mini settings."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Claim, Experiment

__all__ = ["METHODS"]

METHODS = Experiment(
    "methods",
    "The methods beside VICReg on real images",
    "The few arms that a choice among methods needs, by all protocols.",
    (
        arms.SQUEEZE_SPAN_STANDARDIZED,
        arms.VICREG_REAL,
        arms.SQUEEZE_STANDARDIZED,
        arms.VICREG_MIXED,
        arms.SQUEEZE_SPAN,
    ),
    protocols=("linear", "logistic", "knn", "fewshot"),
    claims=(
        Claim(
            "Squeeze and Span with the standardized target is 2 points above VICReg on real images",
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
            arms.VICREG_REAL.key,
            by=2.0,
        ),
        Claim(
            "It is above VICReg on real images",
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
            arms.VICREG_REAL.key,
        ),
        Claim(
            "It is above VICReg on both",
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
            arms.VICREG_MIXED.key,
        ),
        Claim(
            "Without a real image it is level with VICReg on real images (1 point)",
            arms.SQUEEZE_STANDARDIZED.key,
            arms.VICREG_REAL.key,
            by=-1.0,
        ),
    ),
)
