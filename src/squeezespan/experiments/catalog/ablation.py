"""The paper's ablation: from the mean squared error alone to squeeze and span."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Claim, Experiment

__all__ = ["ABLATION"]

_ALONE: dict[str, object] = {"variance": 0.0, "covariance": 0.0}
_RAW: dict[str, object] = {
    "target": "raw",
    "invariance": 1.0,
    "regularize": "student",
    "embed_dim": None,
}


def _arm(key: str, title: str, **changes: dict[str, object]) -> Arm:
    return Arm(key, title, "squeeze-paper-mini", "squeeze-{data}", changes)


ABLATION = Experiment(
    "ablation",
    "What each part of Squeeze and Span adds (the paper's ablation)",
    "Synthetic images and the mean squared error alone, then one part after the other.",
    (
        _arm("mse", "mean squared error", method=_RAW, augment={"enabled": False}),
        _arm("augmented", "+ augmentation", method=_RAW),
        _arm("module", "+ squeeze module", method=_ALONE),
        _arm("variance", "+ variance", method={"covariance": 0.0}),
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
