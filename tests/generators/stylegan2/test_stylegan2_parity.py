"""StyleGAN2 against the reference implementation's weights, inputs and outputs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_vectors import stylegan2_config
from safetensors.torch import load_file
from torch import Tensor

from squeezespan.generators.base import Latents
from squeezespan.generators.stylegan2 import StyleGAN2Generator

FOLDERS = [
    "stylegan2",
    "stylegan2_64",
    "stylegan2_cond",
    "stylegan2_resnet_arch",
    "stylegan2_orig_arch",
    "projected_gan_stylegan2",
]
TOLERANCE = 1e-4


def relative_error(ours: Tensor, reference: np.ndarray[Any, Any]) -> float:
    expected = torch.from_numpy(reference)
    return float((ours - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", FOLDERS)
def test_matches_reference(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "golden" / name
    arguments = json.loads((folder / "config.json").read_text())["constructor"]
    generator = StyleGAN2Generator(stylegan2_config(arguments)).eval()
    generator.load_state_dict(load_file(folder / "weights.safetensors"), strict=True)
    vectors = np.load(folder / "io.npz")
    labels = torch.from_numpy(vectors["class_index"]).long() if "class_index" in vectors else None
    latents = Latents(torch.from_numpy(vectors["z"]), labels)
    with torch.no_grad():
        generated = generator(latents)
        errors = {
            "w": relative_error(generated.w, vectors["w"]),
            "image": relative_error(generated.images, vectors["image"]),
        }
        for block, feature in generated.features.items():
            errors[block] = relative_error(feature, vectors[f"feat_{block}"])
        if "image_psi0p7" in vectors:
            images = generator(latents, truncation=0.7).images
            errors["image, psi 0.7"] = relative_error(images, vectors["image_psi0p7"])
        if "w_psi0p7_cut3" in vectors:
            ws = generator.map(latents, truncation=0.7, truncation_cutoff=3)
            errors["w, psi 0.7, first 3"] = relative_error(ws, vectors["w_psi0p7_cut3"])
        if "image_noise_none" in vectors:
            images = generator(latents, noise="none").images
            errors["image, no noise"] = relative_error(images, vectors["image_noise_none"])
    with capsys.disabled():
        print(f"\n{name}: " + ", ".join(f"{key} {value:.1e}" for key, value in errors.items()))
    assert list(generated.features) == list(generator.info.block_channels)
    assert {f"feat_{block}" for block in generated.features} <= set(vectors)
    assert max(errors.values()) < TOLERANCE
