"""Table 5 of the appendix: students judged on other data sets than they learnt from."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Claim, Experiment

__all__ = ["TABLE5"]

TABLE5 = Experiment(
    "table5",
    "Linear classification across data sets (Table 5 of the appendix)",
    "Trained on one data set, judged on the others; real and synthetic images.",
    (
        arms.SIMSIAM_MIXED,
        arms.VICREG_MIXED,
        arms.SQUEEZE_SPAN,
        arms.SQUEEZE_SPAN_STANDARDIZED,
    ),
    judges="others",
    claims=(
        Claim("Squeeze and Span is above SimSiam", arms.SQUEEZE_SPAN.key, arms.SIMSIAM_MIXED.key),
        Claim("Squeeze and Span is above VICReg", arms.SQUEEZE_SPAN.key, arms.VICREG_MIXED.key),
    ),
    paper={
        "simsiam-mixed": {
            "cifar10>cifar100": 41.32,
            "cifar10>stl10": 68.70,
            "cifar100>cifar10": 75.90,
            "cifar100>stl10": 60.41,
            "stl10>cifar10": 59.34,
            "stl10>cifar100": 32.88,
        },
        "vicreg-mixed": {
            "cifar10>cifar100": 54.19,
            "cifar10>stl10": 80.56,
            "cifar100>cifar10": 79.11,
            "cifar100>stl10": 74.73,
            "stl10>cifar10": 58.15,
            "stl10>cifar100": 31.25,
        },
        "squeeze-span": {
            "cifar10>cifar100": 58.93,
            "cifar10>stl10": 82.22,
            "cifar100>cifar10": 80.68,
            "cifar100>stl10": 73.85,
            "stl10>cifar10": 64.76,
            "stl10>cifar100": 37.48,
        },
    },
)
