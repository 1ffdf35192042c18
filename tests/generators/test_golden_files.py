"""Every folder of golden vectors opened as a user opens a file; prints the table of errors."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_files.persistence import dump, persistent, snapshot
from checkpoint_files.stylegan import StyleGAN2Parts, discriminator_part
from golden_vectors import TOLERANCE, Golden, read_golden, relative_error, stylegan2_config
from safetensors.torch import load_file
from torch import Tensor

from squeezespan import load_discriminator, load_generator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.generators.stylegan2 import StyleGAN2Generator

MARGIN = 10
# What bare weights cannot say stands in a pickle: a clamp that is active, the minibatch group.
PICKLED = {"stylegan2_cond", "stylegan2_discriminator_orig_cond"}
NO_NETWORKS = {"losses", "squeeze_module"}


def test_every_golden_file_gives_the_reference_s_images_and_features(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = sorted(x for x in (shared / "golden").iterdir() if x.is_dir())
    table: dict[str, dict[str, float]] = {}
    for folder in folders:
        if folder.name in NO_NETWORKS:
            continue
        if "discriminator" in folder.name:
            table[folder.name] = discriminator_errors(folder, tmp_path)
        else:
            table[folder.name] = generator_errors(shared, folder, tmp_path)
    with capsys.disabled():
        print("\n" + "\n".join(lines(table)))
    assert len(table) >= 20
    worst = {name: max(errors.values()) for name, errors in table.items()}
    assert {name: error for name, error in worst.items() if not error < TOLERANCE} == {}


def lines(table: dict[str, dict[str, float]]) -> list[str]:
    width = max(map(len, table))
    return [f"{'golden file':{width}}  largest difference over largest magnitude"] + [
        f"{name:{width}}  " + "  ".join(f"{key} {error:.0e}" for key, error in errors.items())
        for name, errors in table.items()
    ]


def generator_errors(shared: Path, folder: Path, tmp_path: Path) -> dict[str, float]:
    golden = read_golden(shared, folder.name)
    file = folder / "weights.safetensors"
    if folder.name in PICKLED:
        config = stylegan2_config(golden.config["constructor"])
        network = StyleGAN2Generator(config).eval()
        network.load_state_dict(golden.weights)
        file = tmp_path / f"{folder.name}.pkl"
        file.write_bytes(dump(snapshot(persistent(network, StyleGAN2Parts(config)))))
    genotype = golden.config["arch"] if "derived" in folder.name else None
    generator = load_generator(file, genotype=genotype)
    family = generator.info.family
    generated = generator(golden.latents, noise="none" if family == "fastgan" else "const")
    errors = {"image": relative_error(generated.images, golden.vectors["image"])}
    for block, feature in generated.features.items():
        errors[block] = relative_error(feature, expected_map(golden, family, feature.shape[-1]))
    if "trainmode_image" in golden.vectors:
        batch = load_generator(file, batch_statistics=True)(golden.latents)
        expected = golden.vectors["trainmode_image"]
        errors["image, batch statistics"] = relative_error(batch.images, expected)
    return errors


def expected_map(golden: Golden, family: str, side: int) -> Tensor:
    """The reference's map of one resolution; StyleGAN3's carry margins until the last layers."""
    vectors = golden.vectors
    if family == "stylegan2":
        return vectors[f"feat_b{side}"]
    if family not in ("stylegan3", "stylegan_xl"):
        return next(x for key, x in vectors.items() if "feat_r" in key and x.shape[-1] == side)
    if f"feat_s{side}" in vectors:
        return vectors[f"feat_s{side}"]
    inside = slice(MARGIN, MARGIN + side)
    return vectors[f"feat_s{side + 2 * MARGIN}"][:, :, inside, inside]


def discriminator_errors(folder: Path, tmp_path: Path) -> dict[str, float]:
    vectors = {key: torch.from_numpy(x) for key, x in np.load(folder / "io.npz").items()}
    file = folder / "weights.safetensors"
    if folder.name in PICKLED:
        file = tmp_path / f"{folder.name}.pkl"
        file.write_bytes(dump(snapshot(None, pickled_discriminator(folder))))
    discriminator = load_discriminator(file)
    labels = vectors.get("class_index")
    judged = discriminator(vectors["input_image"], None if labels is None else labels.long())
    errors = {"logits": relative_error(judged.logits, vectors["logits"])}
    for block, feature in judged.features.items():
        expected = vectors["feat_b4_fc" if block == "fc" else f"feat_{block}"]
        errors[block] = relative_error(feature, expected)
    return errors


def pickled_discriminator(folder: Path) -> object:
    arguments = json.loads((folder / "config.json").read_text())["constructor"]
    network = StyleGAN2Discriminator(
        StyleGAN2DiscriminatorConfig(
            resolution=arguments["img_resolution"],
            num_classes=arguments["c_dim"],
            channel_base=arguments["channel_base"],
            channel_max=arguments["channel_max"],
            architecture=arguments["architecture"],
            conv_clamp=arguments["conv_clamp"],
            mbstd_group_size=arguments["epilogue_kwargs"]["mbstd_group_size"],
        )
    ).eval()
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return persistent(network, discriminator_part)
