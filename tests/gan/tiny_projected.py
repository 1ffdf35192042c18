"""A student, and settings of a Projected GAN, so small that its training takes seconds."""

from pathlib import Path

import torch

from squeezespan.gan.config import GanTrainConfig
from squeezespan.models.backbones import build_backbone
from squeezespan.models.student_file import save_student
from squeezespan.settings import from_dict

__all__ = ["make_student", "tiny_projected"]


def make_student(folder: Path, *, seed: int = 0, saw: list[str] | None = None) -> str:
    """Write a student of 32 pixels with random weights, and give its name as feature network."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        backbone = build_backbone("resnet10-narrow", "cifar", 32)
    header = {
        "arch": "resnet10-narrow",
        "stem": "cifar",
        "num_features": 256,
        "resolution": 32,
        "normalization": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]},
        "provenance": {"saw": saw} if saw else {},
    }
    save_student(folder / "student.safetensors", backbone, header)
    return f"student:{folder}"


def tiny_projected(
    features: str, data: str = "unused", *, family: str = "stylegan2", **changes: object
) -> GanTrainConfig:
    """Give settings of 6 steps of 4 images; `changes` are sections or values in their place."""
    sizes: dict[str, object] = {"family": family, "z_dim": 8}
    if family == "stylegan2":
        sizes |= {"w_dim": 8, "channel_base": 64, "channel_max": 8, "mapping_layers": 1}
    else:
        sizes |= {"base_width": 2}
    settings: dict[str, object] = {
        "data": data,
        "resolution": 16 if family == "stylegan2" else 64,
        "mirror": True,
        "train": {
            "batch_size": 4,
            "max_steps": 6,
            "device": "cpu",
            "precision": "fp32",
            "num_workers": 0,
            "snapshot_kimg": 0.012,
            "checkpoint_minutes": 0,
            "learning_rate": 0.002,
        },
        "generator": sizes,
        "discriminator": {"family": "projected"},
        "projected": {"features": features, "channels": 4, "side": 32},
        "loss": {"r1_gamma": 0, "path_length_weight": 0, "style_mixing": 0},
        "augment": {"enabled": False},
    }
    return from_dict(GanTrainConfig, {**settings, **changes}, where="test")
