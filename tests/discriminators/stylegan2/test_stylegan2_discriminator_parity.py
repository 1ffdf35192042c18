"""The StyleGAN2 discriminator against the reference implementation's weights and outputs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)

FOLDERS = [
    "stylegan2_discriminator",
    "stylegan2_discriminator_orig_cond",
    "stylegan2_discriminator_skip",
]


@pytest.mark.parametrize("name", FOLDERS)
def test_matches_reference(name: str, shared: Path) -> None:
    folder = shared / "golden" / name
    arguments = json.loads((folder / "config.json").read_text())["constructor"]
    config = StyleGAN2DiscriminatorConfig(
        resolution=arguments["img_resolution"],
        num_classes=arguments["c_dim"],
        channel_base=arguments["channel_base"],
        channel_max=arguments["channel_max"],
        architecture=arguments.get("architecture", "resnet"),
        conv_clamp=arguments["conv_clamp"],
        mbstd_group_size=arguments["epilogue_kwargs"].get("mbstd_group_size", 4),
    )
    discriminator = StyleGAN2Discriminator(config).eval()
    discriminator.load_state_dict(load_file(folder / "weights.safetensors"), strict=True)
    vectors = np.load(folder / "io.npz")
    labels = torch.from_numpy(vectors["class_index"]).long() if "class_index" in vectors else None
    with torch.no_grad():
        judged = discriminator(torch.from_numpy(vectors["input_image"]), labels)
    features = {"b4_fc" if block == "fc" else block: x for block, x in judged.features.items()}
    outputs = {"logits": judged.logits} | {f"feat_{block}": x for block, x in features.items()}
    assert len(outputs) >= 4
    for key, ours in outputs.items():
        expected = torch.from_numpy(vectors[key])
        assert (ours - expected).abs().max() < 1e-4 * expected.abs().max(), key
