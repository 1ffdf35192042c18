"""The paper's settings, from Tables 2 to 4 of its appendix.

What the tables leave open is chosen here: 2% of train is held out for the kNN monitor (the paper
trains on all of it); larger images than CIFAR's get the ordinary ResNet stem. The paper's
generators are not shipped, so `gan` is empty and `--gan FILE` has to be given.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from squeezespan.config import (
    AugmentConfig,
    DistillConfig,
    ImagesConfig,
    MethodConfig,
    OptimConfig,
    StudentConfig,
    TrainConfig,
)
from squeezespan.presets.registry import register

__all__ = ["ROWS", "Row", "register_all", "squeeze", "squeeze_span"]

_HOLDOUT = 0.02


@dataclass(frozen=True)
class Row:
    """What the tables say about one data set, whatever the method."""

    title: str
    data: str
    batch_size: int
    epochs: int
    base_lr: float
    weight_decay: float
    images: ImagesConfig
    cifar: bool = False
    """A CIFAR stem, no blur, and two linear layers in SimSiam's projector instead of three."""
    squeeze_weight: float = 25.0
    """lambda and mu of Squeeze and Span."""


ROWS = {
    "cifar10": Row(
        "CIFAR-10",
        "cifar10:data",
        batch_size=512,
        epochs=800,
        base_lr=0.03,
        weight_decay=5e-4,
        images=ImagesConfig(resolution=32, holdout=_HOLDOUT),
        cifar=True,
    ),
    "cifar100": Row(
        "CIFAR-100",
        "cifar100:data",
        batch_size=512,
        epochs=800,
        base_lr=0.03,
        weight_decay=5e-4,
        images=ImagesConfig(resolution=32, holdout=_HOLDOUT),
        cifar=True,
        squeeze_weight=10.0,
    ),
    "stl10": Row(
        "STL-10 (train and unlabelled)",
        "stl10:data",
        batch_size=512,
        epochs=200,
        base_lr=0.05,
        weight_decay=1e-4,
        images=ImagesConfig(resolution=64, unlabeled=True, holdout=_HOLDOUT),
    ),
    "imagenet100": Row(
        "ImageNet-100",
        "folder:data/imagenet100",
        batch_size=256,
        epochs=100,
        base_lr=0.05,
        weight_decay=1e-4,
        images=ImagesConfig(resolution=96, load_resolution=128, holdout=_HOLDOUT),
    ),
    "imagenet": Row(
        "ImageNet",
        "folder:data/imagenet",
        batch_size=256,
        epochs=100,
        base_lr=0.05,
        weight_decay=1e-4,
        images=ImagesConfig(resolution=96, load_resolution=128, holdout=_HOLDOUT),
    ),
}
_SIMSIAM_ROWS = ("cifar10", "cifar100", "stl10")
_DOMAINS = {"real": (0.0, "real"), "syn": (1.0, "synthetic"), "mixed": (0.5, "real and synthetic")}


def _config(row: Row, method: MethodConfig) -> DistillConfig:
    return DistillConfig(
        data=row.data,
        gan=None,
        train=TrainConfig(epochs=row.epochs, batch_size=row.batch_size),
        method=method,
        student=StudentConfig(arch="resnet18", stem="cifar" if row.cifar else "imagenet"),
        images=row.images,
        augment=AugmentConfig(blur=0.0 if row.cifar else 0.5),
        optim=OptimConfig(base_lr=row.base_lr, weight_decay=row.weight_decay),
    )


def squeeze_span(row: Row) -> DistillConfig:
    """Squeeze and Span on {title}: generator features and real images (Table 2).

    Hardware, time and accuracy: unmeasured.
    """
    weight = row.squeeze_weight
    return _config(row, MethodConfig("squeeze-span", invariance=weight, variance=weight))


def squeeze(row: Row) -> DistillConfig:
    """Squeeze alone on {title}: generator features, synthetic images only (Table 2, alpha 1).

    Hardware, time and accuracy: unmeasured.
    """
    weight = row.squeeze_weight
    return _config(row, MethodConfig("squeeze-span", 1.0, invariance=weight, variance=weight))


def standardized(build: Callable[[Row], DistillConfig], row: Row) -> DistillConfig:
    """{method} on {title} as in Table 2, but with the standardized target in place of T.

    Hardware, time and accuracy: unmeasured.
    """
    config = build(row)
    # VICReg's own weights on every data set: a standardized target has one scale on all of them.
    method = replace(config.method, target="standardized", invariance=25.0, variance=25.0)
    return replace(config, method=method)


def vicreg(row: Row, alpha: float) -> DistillConfig:
    """VICReg on {title}, {domain} images (Table 3).

    Hardware, time and accuracy: unmeasured.
    """
    return _config(row, MethodConfig("vicreg", alpha))


def simsiam(row: Row, alpha: float) -> DistillConfig:
    """SimSiam on {title}, {domain} images (Table 4).

    Hardware, time and accuracy: unmeasured.
    """
    layers = 2 if row.cifar else 3
    return _config(row, MethodConfig("simsiam", alpha, projector_layers=layers))


def register_all() -> None:
    """Register a preset for every row of Tables 2 to 4, and Table 2's with another target."""
    for name, row in ROWS.items():
        register(f"squeeze-span-{name}", partial(squeeze_span, row), title=row.title)
        register(f"squeeze-{name}", partial(squeeze, row), title=row.title)
        for whole, words in ((squeeze_span, "Squeeze and Span"), (squeeze, "Squeeze alone")):
            prefix = whole.__name__.replace("_", "-")
            register(
                f"{prefix}-{name}-standardized",
                partial(standardized, whole, row),
                method=words,
                title=row.title,
            )
    for build, prefix, rows in ((vicreg, "vicreg", ROWS), (simsiam, "simsiam", _SIMSIAM_ROWS)):
        for name in rows:
            row = ROWS[name]
            for domain, (alpha, words) in _DOMAINS.items():
                register(
                    f"{prefix}-{domain}-{name}",
                    partial(build, row, alpha),
                    title=row.title,
                    domain=words,
                )
