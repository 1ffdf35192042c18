"""StyleGAN3 and StyleGAN-XL against the reference implementations' weights and outputs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files.stylegan3_arguments import config_from_arguments
from safetensors.torch import load_file
from torch import Tensor

from squeezespan.generators.base import Latents
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.generators.stylegan3.config import Ladder, StyleGAN3Config
from squeezespan.generators.stylegan_xl import (
    StyleGANXLConfig,
    StyleGANXLGenerator,
    superresolution_config,
    xl_config,
)

FOLDERS = ["stylegan3_t", "stylegan3_r", "stylegan_xl", "stylegan_xl_superres"]
TOLERANCE = 1e-4


def golden(shared: Path, name: str) -> tuple[dict[str, Any], dict[str, Tensor], Any]:
    folder = shared / "golden" / name
    facts: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return facts, load_file(folder / "weights.safetensors"), np.load(folder / "io.npz")


def config_of(name: str, facts: dict[str, Any]) -> StyleGAN3Config:
    """The configuration from the constructor's arguments alone."""
    if name == "stylegan_xl_superres":
        arguments = facts["constructor"]
        stem = xl_config(config_from_arguments(facts["stem_constructor"]), 12, 20)
        ladder = Ladder(
            resolution=arguments["img_resolution"],
            num_layers=arguments["head_layers"],
            channel_base=facts["stem_constructor"]["channel_base"],
            channel_max=facts["stem_constructor"]["channel_max"],
        )
        return superresolution_config(stem, ladder)
    config = config_from_arguments(facts["constructor"])
    return xl_config(config, 12, 20) if name == "stylegan_xl" else config


def generator_of(config: StyleGAN3Config, weights: dict[str, Tensor]) -> StyleGAN3Generator:
    if isinstance(config, StyleGANXLConfig):
        generator: StyleGAN3Generator = StyleGANXLGenerator(config)
    else:
        generator = StyleGAN3Generator(config)
    generator.load_state_dict(weights, strict=True)
    return generator.eval()


def latents_of(vectors: Any) -> Latents:
    labels = torch.from_numpy(vectors["class_index"]).long() if "class_index" in vectors else None
    return Latents(torch.from_numpy(vectors["z"]), labels)


def relative_error(ours: Tensor, reference: np.ndarray[Any, Any]) -> float:
    expected = torch.from_numpy(reference)
    assert ours.shape == expected.shape
    return float((ours - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", FOLDERS)
def test_matches_reference(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts, weights, vectors = golden(shared, name)
    generator = generator_of(config_of(name, facts), weights)
    latents = latents_of(vectors)
    last_of_size = {layers[-1]: size for size, layers in facts["feature_groups"].items()}
    errors = {}
    with torch.no_grad():
        generated = generator(latents)
        errors["w"] = relative_error(generated.w, vectors["w"])
        errors["image"] = relative_error(generated.images, vectors["image"])
        truncated = generator(latents, truncation=0.7).images
        errors["image, psi 0.7"] = relative_error(truncated, vectors["image_psi0p7"])
        ws = generator.map(latents, truncation=0.7, truncation_cutoff=3)
        errors["w, psi 0.7, first 3"] = relative_error(ws, vectors["w_psi0p7_cut3"])
        for layer, x in generator.synthesis.maps(generated.w):
            errors[f"mean of {layer}"] = relative_error(x.mean(dim=(2, 3)), vectors[f"gap_{layer}"])
            if layer in last_of_size:
                size = last_of_size[layer]
                errors[size] = relative_error(x, vectors[f"feat_{size}"])
    with capsys.disabled():
        print(f"\n{name}: " + ", ".join(f"{key} {value:.1e}" for key, value in errors.items()))
    assert {f"feat_{size}" for size in last_of_size.values()} == {
        key for key in vectors if key.startswith("feat_")
    }
    assert max(errors.values()) < TOLERANCE
