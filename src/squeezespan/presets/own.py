"""Settings for images of one's own, at whatever resolution they and the GAN have."""

from squeezespan.config import (
    AugmentConfig,
    DistillConfig,
    MethodConfig,
    OptimConfig,
    StudentConfig,
    TrainConfig,
)
from squeezespan.presets.registry import register

__all__ = ["register_all"]


def _config(alpha: float) -> DistillConfig:
    return DistillConfig(
        gan=None,
        train=TrainConfig(epochs=200, batch_size=256),
        method=MethodConfig("squeeze-span", alpha, target="standardized"),
        student=StudentConfig(arch="resnet18"),
        augment=AugmentConfig(blur=0.5),
        optim=OptimConfig(base_lr=0.05, weight_decay=1e-4, warmup_epochs=5, clip_grad_norm=10.0),
    )


def squeeze_span() -> DistillConfig:
    """Squeeze and Span on images of your own, at the smaller of their and the GAN's resolution.

    The paper's settings for STL-10 in half its batch, with the standardized target, a rise of the
    learning rate and clipped gradients. Hardware, time and accuracy: unmeasured.
    """
    return _config(0.5)


def squeeze() -> DistillConfig:
    """Squeeze alone on the images of a GAN of your own, with real ones only to check on.

    Settings as `squeeze-span`. Hardware, time and accuracy: unmeasured.
    """
    return _config(1.0)


def register_all() -> None:
    """Register the presets for one's own images."""
    register("squeeze-span", squeeze_span)
    register("squeeze", squeeze)
