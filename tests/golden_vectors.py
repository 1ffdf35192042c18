"""Reading the golden vectors beside the project's root, and comparing a generator with them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from squeezespan.generators.base import Generated, Latents
from squeezespan.generators.stylegan2 import StyleGAN2Config

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Golden:
    """One folder of golden vectors: a reference network's weights, inputs and outputs."""

    name: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    vectors: dict[str, Tensor]

    @property
    def latents(self) -> Latents:
        labels = self.vectors.get("class_index")
        return Latents(self.vectors["z"], None if labels is None else labels.long())

    def errors(self, generated: Generated) -> dict[str, float]:
        """Relative error of the image and of each block's feature map."""
        errors = {"image": relative_error(generated.images, self.vectors["image"])}
        maps = {
            f"b{tensor.shape[-1]}": tensor
            for key, tensor in self.vectors.items()
            if key.startswith("feat_r")
        }
        assert list(generated.features) == sorted(maps, key=lambda name: int(name[1:]))
        for block, feature in generated.features.items():
            errors[block] = relative_error(feature, maps[block])
        return errors


def read_golden(shared: Path, name: str) -> Golden:
    folder = shared / "golden" / name
    vectors = np.load(folder / "io.npz")
    return Golden(
        name,
        json.loads((folder / "config.json").read_text()),
        load_file(folder / "weights.safetensors"),
        {key: torch.from_numpy(vectors[key]) for key in vectors},
    )


def stylegan2_config(arguments: dict[str, Any]) -> StyleGAN2Config:
    """What the arguments of the reference's constructor stand for."""
    synthesis = arguments.get("synthesis_kwargs", arguments)
    mapping = arguments["mapping_kwargs"]
    return StyleGAN2Config(
        resolution=arguments["img_resolution"],
        channels=arguments["img_channels"],
        z_dim=arguments["z_dim"],
        w_dim=arguments["w_dim"],
        num_classes=arguments["c_dim"],
        channel_base=synthesis["channel_base"],
        channel_max=synthesis["channel_max"],
        mapping_layers=mapping.get("num_layers", 8),
        mapping_width=mapping.get("layer_features"),
        architecture=synthesis.get("architecture", "skip"),
        # The Projected GAN copy leaves its default of 256 unnamed.
        conv_clamp=synthesis.get("conv_clamp", 256.0),
    )


def relative_error(ours: Tensor, expected: Tensor) -> float:
    """Largest difference over the largest magnitude."""
    return float((ours.float() - expected).abs().max() / expected.abs().max())


def describe(name: str, errors: dict[str, float]) -> str:
    return f"\n{name}: " + ", ".join(f"{key} {value:.1e}" for key, value in errors.items())


def pooled_error(ours: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, float]:
    """Relative L2 error of each block's pooled features."""
    errors = {}
    for block, feature in expected.items():
        exact = feature.float().mean(dim=(2, 3))
        found = ours[block].float().mean(dim=(2, 3))
        errors[block] = float((found - exact).norm() / exact.norm())
    return errors
