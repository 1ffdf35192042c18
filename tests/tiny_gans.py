"""Settings so small that the training of a GAN takes a second."""

from squeezespan.gan.config import GanTrainConfig
from squeezespan.settings import from_dict

__all__ = ["STEPS", "tiny_gan"]

STEPS = 12


def tiny_gan(data: str, **train: object) -> GanTrainConfig:
    """Give settings of `STEPS` steps of 4 images; `train` is what differs in that section."""
    settings = {
        "data": data,
        "resolution": 16,
        "mirror": True,
        "train": {
            "batch_size": 4,
            "max_steps": STEPS,
            "device": "cpu",
            "precision": "fp32",
            "num_workers": 0,
            "snapshot_kimg": 0.02,
            "checkpoint_minutes": 0,
            **train,
        },
        "generator": {"z_dim": 8, "w_dim": 8, "channel_base": 64, "channel_max": 8},
        "discriminator": {"channel_base": 64, "channel_max": 8, "mbstd_group_size": 2},
        "augment": {"initial": 0.2},
    }
    return from_dict(GanTrainConfig, settings, where="test")
