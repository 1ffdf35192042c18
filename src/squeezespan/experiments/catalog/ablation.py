"""The paper's ablation: from the mean squared error alone to squeeze and span."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Claim, Experiment

__all__ = ["ABLATION"]

ABLATION = Experiment(
    "ablation",
    "What each part of Squeeze and Span adds (the paper's ablation)",
    "Synthetic images and the mean squared error alone, then one part after the other.",
    (
        Arm("mse", "mean squared error", "vanilla-noaug-mini", "vanilla-noaug-{data}"),
        Arm("augmented", "+ augmentation", "vanilla-mini", "vanilla-{data}"),
        Arm("module", "+ squeeze module", "ablation-c-mini", "ablation-c-{data}"),
        Arm("variance", "+ variance", "ablation-d-mini", "ablation-d-{data}"),
        arms.SQUEEZE,
        arms.SQUEEZE_SPAN,
    ),
    claims=(
        Claim("Augmentation adds", "augmented", "mse"),
        Claim("The squeeze module alone collapses", "augmented", "module", by=20.0),
        Claim("Variance mends it", "variance", "module"),
        Claim("Covariance adds", "squeeze", "variance"),
        Claim("Span adds", "squeeze-span", "squeeze"),
    ),
    paper={
        "mse": {"cifar10": 74.20},
        "augmented": {"cifar10": 84.48},
        "module": {"cifar10": 10.00},
        "variance": {"cifar10": 79.10},
        "squeeze": {"cifar10": 87.67},
        "squeeze-span": {"cifar10": 92.54},
    },
)
