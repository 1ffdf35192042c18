"""Table 2 of the paper: squeeze and span beside self-supervised methods."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Claim, Experiment

__all__ = ["TABLE2"]

TABLE2 = Experiment(
    "table2",
    "Squeeze and Span beside self-supervised learning (the paper's Table 2)",
    "Every method on real images, on the generator's, and on both.",
    (
        arms.SIMSIAM_REAL,
        arms.VICREG_REAL,
        arms.SIMSIAM_SYN,
        arms.VICREG_SYN,
        arms.SQUEEZE,
        arms.SQUEEZE_STANDARDIZED,
        arms.SIMSIAM_MIXED,
        arms.VICREG_MIXED,
        arms.SQUEEZE_SPAN,
        arms.SQUEEZE_SPAN_STANDARDIZED,
    ),
    claims=(
        Claim(
            "Squeeze and Span is above VICReg on both",
            arms.SQUEEZE_SPAN.key,
            arms.VICREG_MIXED.key,
        ),
        Claim(
            "Squeeze and Span is above VICReg on real images",
            arms.SQUEEZE_SPAN.key,
            arms.VICREG_REAL.key,
        ),
        Claim(
            "Squeeze and Span is above SimSiam on real images",
            arms.SQUEEZE_SPAN.key,
            arms.SIMSIAM_REAL.key,
        ),
        Claim("Squeeze is above VICReg on synthetic images", arms.SQUEEZE.key, arms.VICREG_SYN.key),
        Claim("Span adds to Squeeze", arms.SQUEEZE_SPAN.key, arms.SQUEEZE.key),
        Claim(
            "With the standardized target, Squeeze and Span is above VICReg on real images",
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
            arms.VICREG_REAL.key,
        ),
        Claim(
            "The standardized target is above the squeeze module",
            arms.SQUEEZE_SPAN_STANDARDIZED.key,
            arms.SQUEEZE_SPAN.key,
        ),
    ),
    paper={
        "simsiam-real": {"cifar10": 90.94, "cifar100": 62.44, "stl10": 71.30},
        "vicreg-real": {"cifar10": 89.20, "cifar100": 63.31, "stl10": 74.43},
        "simsiam-syn": {"cifar10": 85.11, "cifar100": 47.89, "stl10": 73.38},
        "vicreg-syn": {"cifar10": 84.68, "cifar100": 52.84, "stl10": 70.80},
        "squeeze": {"cifar10": 87.67, "cifar100": 57.35, "stl10": 73.35},
        "simsiam-mixed": {"cifar10": 90.88, "cifar100": 62.68, "stl10": 71.70},
        "vicreg-mixed": {"cifar10": 90.46, "cifar100": 65.22, "stl10": 75.05},
        "squeeze-span": {"cifar10": 92.54, "cifar100": 67.87, "stl10": 76.83},
    },
)
