"""The settings of the demo's trainings: a preset's, but for what suits a minute better."""

from dataclasses import dataclass, replace

from squeezespan.config import DistillConfig, ImagesConfig, MonitorConfig, TrainConfig
from squeezespan.demo.settings import DemoOptions
from squeezespan.experiments.experiment import Arm
from squeezespan.presets import find_preset
from squeezespan.settings import changed

__all__ = ["Sizes", "demo_config"]

_WARM_UP = 0.15
"""Share of the steps in which the learning rate rises."""
_STATISTICS_IMAGES = 1000
"""That the target is standardized by: a fifth of a longer run's, for a minute of training."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of a training."""

    steps: int
    batch_size: int
    resolution: int
    steps_per_epoch: int = 1
    """Only the length of the learning rate's rise depends on it."""
    knn_every: int = 0
    """Epochs between checks on held-out images; 0 turns them off."""


def demo_config(arm: Arm, options: DemoOptions, sizes: Sizes) -> DistillConfig:
    """Give the settings of one method.

    Args:
        arm: of the demo.
        options: what the user asks for.
        sizes: of the training.
    """
    small = changed(find_preset(arm.mini).build(), arm.mini_changes, where=arm.key)
    warmup_epochs = round(_WARM_UP * sizes.steps / sizes.steps_per_epoch, 3)
    return replace(
        small,
        data=options.data,
        gan=options.gan if small.method.alpha else None,
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
