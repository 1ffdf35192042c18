"""A GAN training's plan in a few lines."""

from collections.abc import Mapping
from typing import Any

from squeezespan.gan.config import GanTrainConfig
from squeezespan.plan_rows import changed_settings, cost_rows

__all__ = ["gan_plan_rows"]

_TOLD = (
    *("data", "resolution", "generator.family", "discriminator.family"),
    *("train.kimg", "train.epochs", "train.max_steps", "train.batch_size"),
    *("train.device", "train.precision"),
)


def gan_plan_rows(plan: Mapping[str, Any]) -> dict[str, str]:
    """Give the rows of a dry run, by name; the last ones say what the training takes.

    Args:
        plan: what `describe_gan_run` gives.
    """
    config = plan["config"]
    batch = config["train"]["batch_size"]
    kimg = plan["steps"] * batch / 1000
    return {
        **{
            name: f"{config[name]['family']}, {plan[f'{name}_parameters']:,} parameters"
            for name in ("generator", "discriminator")
        },
        "data": config["data"],
        "images": f"{plan['sizes']}; {plan['held_out_images']} more held out",
        "settings": changed_settings(GanTrainConfig, config, _TOLD),
        "length": f"{plan['steps']} steps of {batch} images, {kimg:.4g} kimg",
        **cost_rows(plan, f"{plan['seconds_per_kimg']:.3g} s a kimg"),
    }
