"""Small settings that two CPU cores finish; the README's comparison uses them.

All of them push the same number of images through the same narrow student.
"""

from functools import partial
from typing import Any, Literal

from squeezespan.config import (
    AugmentConfig,
    DistillConfig,
    ImagesConfig,
    MethodConfig,
    MonitorConfig,
    OptimConfig,
    StudentConfig,
    TrainConfig,
)
from squeezespan.presets.registry import register

__all__ = ["PASSES", "MiniMethod", "MiniTarget", "mini_config", "register_all"]

MiniMethod = Literal["squeeze-span", "vicreg", "simsiam"]
MiniTarget = Literal["standardized", "squeeze"]

_STEPS = 7000
_BATCH = 128
_EMBED = 2048
PASSES = 2 * _STEPS * _BATCH
"""Passes through the student of the small presets with two views of every image."""
_TARGETS: dict[MiniTarget, dict[str, Any]] = {
    "standardized": {"target": "standardized"},
    "squeeze": {"regularize": "both", "embed_dim": _EMBED, "hidden_dim": 512},
}


def mini_config(
    method: MiniMethod, alpha: float, target: MiniTarget = "standardized"
) -> DistillConfig:
    """Settings that suit a short training of a narrow student; the demo's, too.

    Rate and augmentation are each method's own: the best of five trials of 1,400 steps, as many for
    every method, by logistic regression on 5,000 images of CIFAR-10's train split that no method
    learns from (`squeezespan reproduce search`; figures in results/mini-cifar10). Searched were
    VICReg on real images and on both, SimSiam on real images, and with the standardized target
    Squeeze, and Squeeze and Span, which was searched with the squeeze module's target, too; what
    was not takes over the settings of its neighbour.

    What all methods share is older: chosen by kNN and logistic regression on as many images held
    out of train, after 15,000 to 30,000 images, with VICReg on real images unless said otherwise:

    - Batches of 128: twice the steps of 256 (44.3% against 40.3% by logistic regression, Squeeze
      and Span); 64 is no better and leaves too few images of each stream.
    - Two projector layers: 3 and 5 train no better in so few steps, 1 is worse.
    - Embeddings of 2048, where nothing else gives their width: steps can then be longer, because
      the terms are averages over dimensions (39.9%, against 37.8% with 512; with 128 the training
      diverges).
    - A rise of the rate and clipped gradients: without a rise it diverges.
    - The standardized target, not the squeeze module: the module is learnt from scratch, and is
      the slow part of a short training.
    - With the squeeze module, variance and covariance of both the student's and the module's
      embedding: of the student's alone, as in the paper, targets shrink faster than they are learnt
      in so short a training (Squeeze 39.0%, with both 43.7%; Squeeze and Span 42.8% and 44.3%).

    Args:
        method: `squeeze-span`, `vicreg` or `simsiam`.
        alpha: share of synthetic images, 0 to 1.
        target: of `squeeze-span`.
    """
    methods = {
        "squeeze-span": MethodConfig("squeeze-span", alpha, projector_layers=2, **_TARGETS[target]),
        "vicreg": MethodConfig("vicreg", alpha, embed_dim=_EMBED, projector_layers=2),
        "simsiam": MethodConfig(
            "simsiam", alpha, embed_dim=512, projector_layers=2, predictor_dim=128
        ),
    }
    base_lr, augment = _searched(method, alpha, target)
    return DistillConfig(
        gan="builtin:stylegan2-cifar10" if alpha > 0 else None,
        train=TrainConfig(epochs=100, max_steps=_STEPS, batch_size=_BATCH),
        method=methods[method],
        student=StudentConfig(arch="resnet10-narrow", stem="cifar"),
        images=ImagesConfig(resolution=32),
        augment=augment,
        optim=OptimConfig(base_lr=base_lr, schedule="step", warmup_epochs=1.0, clip_grad_norm=10.0),
        monitor=MonitorConfig(knn_every=2),
    )


def _searched(method: MiniMethod, alpha: float, target: MiniTarget) -> tuple[float, AugmentConfig]:
    """Give the base learning rate and augmentation of a method's best trial."""
    if method == "simsiam":
        return 0.8, AugmentConfig()
    if method == "vicreg":
        return (0.4 if alpha == 0 else 0.2), AugmentConfig()
    if target == "squeeze":
        return 0.8, AugmentConfig()
    if alpha == 1:
        return 0.4, AugmentConfig(synthetic=0.5)
    return 0.2, AugmentConfig(crop_scale=(0.35, 1.0), jitter=0.4, grayscale=0.1)


def squeeze_span() -> DistillConfig:
    """Squeeze and Span, small: the shipped GAN and the shipped images, for a CPU.

    The student regresses the generator's standardized features. At this length unmeasured.
    """
    return mini_config("squeeze-span", 0.5)


def squeeze() -> DistillConfig:
    """Squeeze alone, small: the shipped GAN's images only, for a CPU.

    The student regresses the generator's standardized features. At this length unmeasured.
    """
    return mini_config("squeeze-span", 1.0)


def squeeze_span_paper() -> DistillConfig:
    """Squeeze and Span, small, with the paper's target: what a squeeze module learns.

    With a quarter of this learning rate 69 minutes on one thread of an AMD EPYC in bf16, beside
    other work; accuracies of that rate stand in results/mini-cifar10, with this one unmeasured.
    """
    return mini_config("squeeze-span", 0.5, "squeeze")


def squeeze_paper() -> DistillConfig:
    """Squeeze alone, small, with the paper's target: what a squeeze module learns.

    With a quarter of this learning rate 38 minutes on one thread of an AMD EPYC in bf16;
    accuracies of that rate stand in results/mini-cifar10, with this one unmeasured.
    """
    return mini_config("squeeze-span", 1.0, "squeeze")


def vicreg(alpha: float) -> DistillConfig:
    """VICReg, small, {domain} images, for a CPU.

    51 minutes (mixed) on one thread of an AMD EPYC in bf16, 71 (real) beside other work, measured
    on CIFAR-10 (JPEG), one seed; accuracies stand in results/mini-cifar10, those on real images of
    half this learning rate. Synthetic images alone: unmeasured.
    """
    return mini_config("vicreg", alpha)


def simsiam(alpha: float) -> DistillConfig:
    """SimSiam, small, {domain} images, for a CPU.

    Time and accuracy at this length: unmeasured.
    """
    return mini_config("simsiam", alpha)


def register_all() -> None:
    """Register the small presets."""
    register("squeeze-span-mini", squeeze_span)
    register("squeeze-mini", squeeze)
    register("squeeze-span-paper-mini", squeeze_span_paper)
    register("squeeze-paper-mini", squeeze_paper)
    domains = {"real": (0.0, "real"), "syn": (1.0, "synthetic"), "mixed": (0.5, "mixed")}
    for build, prefix in ((vicreg, "vicreg"), (simsiam, "simsiam")):
        for domain, (alpha, words) in domains.items():
            register(f"{prefix}-{domain}-mini", partial(build, alpha), domain=words)
