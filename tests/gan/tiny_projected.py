"""A student, and settings of a Projected GAN, so small that its training takes seconds."""

from pathlib import Path

from tiny_runs import make_student_file

from squeezespan.gan.config import GanTrainConfig
from squeezespan.settings import from_dict

__all__ = ["make_student", "tiny_projected"]


def make_student(folder: Path, *, seed: int = 0, saw: list[str] | None = None) -> str:
    """Write a student of 32 pixels with random weights, and give its name as feature network."""
    provenance = {"saw": saw} if saw else {}
    make_student_file(folder / "student.safetensors", provenance, resolution=32, seed=seed)
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
