"""The methods that the demo compares, and their settings."""

from dataclasses import dataclass, replace

from squeezespan.config import DistillConfig, ImagesConfig, MonitorConfig, TrainConfig
from squeezespan.demo.settings import DemoOptions
from squeezespan.presets.mini import MiniMethod, mini_config

__all__ = ["RANDOM", "ROWS", "Row", "Sizes", "demo_config"]

RANDOM = "random"

_WARM_UP = 0.15
"""Share of the steps in which the learning rate rises."""
_STATISTICS_IMAGES = 1000
"""That the target is standardized by: a fifth of a longer run's, for a minute of training."""


@dataclass(frozen=True)
class Row:
    """A method and how it is spoken of."""

    key: str
    """Names it in `demo.json`, and its run folder."""
    title: str
    about: str
    """One sentence for readers who don't know it."""
    method: MiniMethod
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
            "From a view of a generated image, predict the GAN's own features of it, standardized. "
            "No real image.",
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
    """Settings of one method, for a minute of training on two CPU cores: `mini_config`'s."""
    small = mini_config(row.method, row.alpha)
    warmup_epochs = round(_WARM_UP * sizes.steps / sizes.steps_per_epoch, 3)
    return replace(
        small,
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
        source=replace(small.source, statistics_images=_STATISTICS_IMAGES),
        images=ImagesConfig(resolution=sizes.resolution),
        optim=replace(small.optim, warmup_epochs=warmup_epochs),
        monitor=MonitorConfig(
            knn_every=sizes.knn_every,
            knn_images=2000,
            log_every=max(sizes.steps // 40, 1),
        ),
    )
