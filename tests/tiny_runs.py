"""A generator, images and settings so small that a run takes a second."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from squeezespan.config import DistillConfig, config_from_dict
from squeezespan.generators import save_generator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.models.backbones import build_backbone
from squeezespan.models.student_file import save_student

__all__ = ["make_gan", "make_images", "make_student_file", "read_metrics", "tiny_config"]

_CLASSES = 4


def make_gan(path: Path, **changes: Any) -> Path:
    """Write a generator with random weights, 32x32."""
    sizes: dict[str, Any] = {
        "resolution": 32,
        "z_dim": 16,
        "w_dim": 16,
        "channel_base": 256,
        "channel_max": 16,
        "mapping_layers": 2,
    }
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        generator = StyleGAN2Generator(StyleGAN2Config(**{**sizes, **changes}))
    save_generator(path, generator, {})
    return path


def make_images(folder: Path, per_class: int = 20) -> str:
    """Write images of 16x16 in 4 classes that differ in brightness, and give the data spec."""
    random = np.random.default_rng(0)
    for label in range(_CLASSES):
        place = folder / "train" / f"class{label}"
        place.mkdir(parents=True)
        for number in range(per_class):
            pixels = random.integers(50 * label, 50 * label + 100, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.png")
    return f"folder:{folder}"


def make_student_file(
    file: Path, provenance: dict[str, Any] | None = None, *, resolution: int = 16, seed: int = 0
) -> Path:
    """Write a student with random weights."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        backbone = build_backbone("resnet10-narrow", "cifar", resolution)
    header = {
        "arch": "resnet10-narrow",
        "stem": "cifar",
        "num_features": 256,
        "resolution": resolution,
        "normalization": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]},
        "provenance": provenance or {},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_student(file, backbone, header)
    return file


def tiny_config(data: str, gan: Path, **changes: dict[str, Any]) -> DistillConfig:
    """Give settings of 16 steps; `changes` are sections with what differs."""
    sections: dict[str, dict[str, Any]] = {
        "train": {
            "epochs": 4,
            "batch_size": 16,
            "device": "cpu",
            "precision": "fp32",
            "num_workers": 0,
            "checkpoint_minutes": 0,
        },
        "method": {"embed_dim": 16, "hidden_dim": 16, "projector_layers": 2},
        "student": {"arch": "resnet10-narrow"},
        "images": {"resolution": 16},
        "monitor": {"knn_every": 2, "log_every": 2, "knn_k": 5},
    }
    for section, values in changes.items():
        sections[section] = sections.get(section, {}) | values
    return config_from_dict({"data": data, "gan": str(gan), **sections})


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Read the lines of `metrics.jsonl` without what the clock says."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    clock = {"seconds", "images_per_second"}
    return [{name: x for name, x in line.items() if name not in clock} for line in lines]
