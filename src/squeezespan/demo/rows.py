"""The methods that the demo compares, and their settings."""

from dataclasses import dataclass

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
from squeezespan.demo.settings import DemoOptions

__all__ = ["RANDOM", "ROWS", "Row", "Sizes", "demo_config"]

RANDOM = "random"

_WARM_UP = 0.15
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True)
class Row:
    """A method and how it is spoken of."""

    key: str
    """Names it in `demo.json`, and its run folder."""
    title: str
    about: str
    """One sentence for readers who don't know it."""
    method: str
    alpha: float
    """Share of generated images."""

    @property
    def views(self) -> float:
        """Passes through the student for each image, on average."""
        synthetic_views = 1 if self.method == "squeeze-span" else 2
        return self.alpha * synthetic_views + (1 - self.alpha) * 2


ROWS = {
    row.key: row
    for row in (
        Row(
            "vicreg-real",
            "VICReg on real images",
            "Two views of a real image should get the same embedding. No GAN.",
            "vicreg",
            0.0,
        ),
        Row(
            "vicreg-mixed",
            "VICReg on real and generated images",
            "The same, where half of the images come from the GAN; what goes on inside it is "
            "not used.",
            "vicreg",
            0.5,
        ),
        Row(
            "squeeze",
            "Squeeze",
            "From a view of a generated image, predict the GAN's own features of it. No real "
            "image.",
            "squeeze-span",
            1.0,
        ),
        Row(
            "squeeze-span",
            "Squeeze and Span",
            "Half of the images as in Squeeze, and half real ones as in VICReg.",
            "squeeze-span",
            0.5,
        ),
    )
}


@dataclass(frozen=True)
class Sizes:
    """Sizes that all methods share."""

    steps: int
    batch_size: int
    resolution: int
    steps_per_epoch: int = 1
    """Only the length of the learning rate's rise depends on it."""
    knn_every: int = 0
    """Epochs between checks on held-out images; 0 turns them off."""


def demo_config(row: Row, options: DemoOptions, sizes: Sizes) -> DistillConfig:
    """Settings of one method, for a minute of training on two CPU cores.

    All methods share them, so that the comparison is one of methods. They were chosen by kNN and
    logistic regression on 5,000 images of CIFAR-10's train split that no method learnt from, after
    15,000 to 30,000 images, with VICReg on real images unless said otherwise:

    - Batches of 128: twice the steps of 256 (44.3% against 40.3% by logistic regression, Squeeze
      and Span); 64 is no better and leaves too few images of each stream.
    - Two projector layers: 3 and 5 train no better in so few steps, 1 is worse.
    - Embeddings of 2048: steps can then be longer, because the terms are averages over dimensions
      (39.9%, against 37.8% with 512; with 128 the training diverges).
    - base_lr 0.2 with a rise and clipped gradients: 0.1 is equal, 0.4 worse; without a rise it
      diverges.
    - Weights and augmentation as in the paper: a weaker crop or jitter, and other weights of the
      covariance, were worse.
    - Variance and covariance of both the student's and the squeeze module's embedding: of the
      student's alone, as in the paper, targets shrink faster than they are learnt in so short a
      training (Squeeze 39.0%, with both 43.7%; Squeeze and Span 42.8% and 44.3%).
    """
    return DistillConfig(
        data=options.data,
        gan=options.gan if row.alpha else None,
        train=TrainConfig(
            # More than enough; the steps end the run.
            epochs=sizes.steps,
            max_steps=sizes.steps,
            batch_size=sizes.batch_size,
            seed=options.seed,
            device=options.device,
            precision=options.precision,
            checkpoint_minutes=0.5,
        ),
        method=MethodConfig(
            name="vicreg" if row.method == "vicreg" else "squeeze-span",
            alpha=row.alpha,
            regularize="both" if row.method == "squeeze-span" else "student",
            embed_dim=2048,
            hidden_dim=512,
            projector_layers=2,
        ),
        student=StudentConfig(arch="resnet10-narrow", stem="cifar"),
        images=ImagesConfig(resolution=sizes.resolution),
        augment=AugmentConfig(),
        optim=OptimConfig(
            base_lr=0.2,
            schedule="step",
            warmup_epochs=round(_WARM_UP * sizes.steps / sizes.steps_per_epoch, 3),
            clip_grad_norm=10.0,
        ),
        monitor=MonitorConfig(
            knn_every=sizes.knn_every,
            knn_images=2000,
            log_every=max(sizes.steps // 40, 1),
        ),
    )
