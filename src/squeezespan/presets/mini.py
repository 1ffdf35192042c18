"""Small settings that two CPU cores finish; `reproduce` and the README's comparison use them.

All of them push the same number of images through the same narrow student. Squeeze and Span,
squeeze and VICReg share the settings of the optimizer, chosen on images held out of train, so that
their accuracies can be compared; SimSiam's were not chosen with the same care.
"""

from functools import partial

from squeezespan.config import (
    DistillConfig,
    MethodConfig,
    MonitorConfig,
    OptimConfig,
    StudentConfig,
    TrainConfig,
)
from squeezespan.presets.registry import register

__all__ = ["register_all"]

_STEPS = 3500
_BATCH = 128
_EMBED = 2048
_SQUEEZE_WIDTH = 512


def _config(method: MethodConfig, *, gan: bool) -> DistillConfig:
    """Settings that all of them share; the demo's, see `squeezespan.demo.rows`."""
    return DistillConfig(
        gan="builtin:stylegan2-cifar10" if gan else None,
        train=TrainConfig(epochs=100, max_steps=_STEPS, batch_size=_BATCH),
        method=method,
        student=StudentConfig(arch="resnet10-narrow", stem="cifar"),
        optim=OptimConfig(base_lr=0.2, schedule="step", warmup_epochs=1.0, clip_grad_norm=10.0),
        monitor=MonitorConfig(knn_every=2),
    )


def _squeeze_span(alpha: float) -> DistillConfig:
    method = MethodConfig(
        "squeeze-span",
        alpha,
        regularize="both",
        embed_dim=_EMBED,
        hidden_dim=_SQUEEZE_WIDTH,
        projector_layers=2,
    )
    return _config(method, gan=True)


def squeeze_span() -> DistillConfig:
    """Squeeze and Span, small: the shipped GAN and the shipped images, for a CPU.

    51 minutes on one busy core of an AMD EPYC in bf16, measured on CIFAR-10 (JPEG): 56.3% kNN,
    59.9% linear probe on cached views; one seed, see results/mini-cifar10.
    """
    return _squeeze_span(0.5)


def squeeze() -> DistillConfig:
    """Squeeze alone, small: the shipped GAN's images only, for a CPU.

    37 minutes on one busy core of an AMD EPYC in bf16, measured on CIFAR-10 (JPEG), one seed; its
    accuracies stand in results/mini-cifar10.
    """
    return _squeeze_span(1.0)


def vicreg(alpha: float) -> DistillConfig:
    """VICReg, small, {domain} images, for a CPU.

    44 minutes (real images) and 54 minutes (mixed) on one busy core of an AMD EPYC in bf16,
    measured on CIFAR-10 (JPEG), one seed; accuracies stand in results/mini-cifar10. Synthetic
    images alone were not measured yet.
    """
    method = MethodConfig("vicreg", alpha, embed_dim=_EMBED, projector_layers=2)
    return _config(method, gan=alpha > 0)


def simsiam(alpha: float) -> DistillConfig:
    """SimSiam, small, {domain} images, for a CPU.

    Meant for about half an hour on two cores; time and accuracy: not measured yet.
    """
    method = MethodConfig(
        "simsiam", alpha, embed_dim=_SQUEEZE_WIDTH, projector_layers=2, predictor_dim=128
    )
    return _config(method, gan=alpha > 0)


def register_all() -> None:
    """Register the small presets."""
    register("squeeze-span-mini", squeeze_span)
    register("squeeze-mini", squeeze)
    domains = {"real": (0.0, "real"), "syn": (1.0, "synthetic"), "mixed": (0.5, "mixed")}
    for build, prefix in ((vicreg, "vicreg"), (simsiam, "simsiam")):
        for domain, (alpha, words) in domains.items():
            register(f"{prefix}-{domain}-mini", partial(build, alpha), domain=words)
