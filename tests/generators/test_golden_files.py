"""Every folder of golden vectors opened as a user opens a file; prints the table of errors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_vectors import TOLERANCE, Golden, read_golden, relative_error, stylegan2_config
from safetensors.torch import load_file
from torch import Tensor

from squeezespan import load_discriminator, load_generator
from squeezespan.losses.vicreg import covariance, invariance, variance
from squeezespan.models.squeeze import Squeeze
from squeezespan.models.targets import RawTarget

MARGIN = 10


@torch.no_grad()
def test_every_golden_folder_gives_what_the_reference_gives(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = sorted(x for x in (shared / "golden").iterdir() if x.is_dir())
    special = {"losses": loss_errors, "squeeze_module": squeeze_errors}
    table: dict[str, dict[str, float]] = {}
    for folder in folders:
        if "discriminator" in folder.name:
            table[folder.name] = discriminator_errors(folder)
        elif folder.name in special:
            table[folder.name] = special[folder.name](folder)
        else:
            table[folder.name] = generator_errors(shared, folder)
    with capsys.disabled():
        print("\n" + "\n".join(lines(table)))
    assert len(table) == len(folders) >= 20
    worst = {name: max(errors.values()) for name, errors in table.items()}
    assert {name: error for name, error in worst.items() if not error < TOLERANCE} == {}


def lines(table: dict[str, dict[str, float]]) -> list[str]:
    width = max(map(len, table))
    return [f"{'golden file':{width}}  largest difference over largest magnitude"] + [
        f"{name:{width}}  " + "  ".join(f"{key} {error:.0e}" for key, error in errors.items())
        for name, errors in table.items()
    ]


def generator_errors(shared: Path, folder: Path) -> dict[str, float]:
    golden = read_golden(shared, folder.name)
    choices: dict[str, Any] = {}
    if "derived" in folder.name:
        choices["genotype"] = golden.config["arch"]
    elif "stylegan2" in folder.name:
        # What bare weights cannot say.
        choices["conv_clamp"] = stylegan2_config(golden.config["constructor"]).conv_clamp or 0
    file = folder / "weights.safetensors"
    generator = load_generator(file, **choices)
    family = generator.info.family
    generated = generator(golden.latents, noise="none" if family == "fastgan" else "const")
    errors = {"image": relative_error(generated.images, golden.vectors["image"])}
    for block, feature in generated.features.items():
        errors[block] = relative_error(feature, expected_map(golden, family, feature.shape[-1]))
    if "w" in golden.vectors:
        errors["w"] = relative_error(generated.w, golden.vectors["w"])
    if "image_psi0p7" in golden.vectors:
        truncated = generator(golden.latents, truncation=0.7).images
        errors["psi 0.7"] = relative_error(truncated, golden.vectors["image_psi0p7"])
    if "image_noise_none" in golden.vectors:
        quiet = generator(golden.latents, noise="none").images
        errors["no noise"] = relative_error(quiet, golden.vectors["image_noise_none"])
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


def discriminator_errors(folder: Path) -> dict[str, float]:
    vectors = {key: torch.from_numpy(x) for key, x in np.load(folder / "io.npz").items()}
    arguments = json.loads((folder / "config.json").read_text())["constructor"]
    group = arguments["epilogue_kwargs"].get("mbstd_group_size", 4)
    discriminator = load_discriminator(folder / "weights.safetensors", mbstd_group_size=group)
    labels = vectors.get("class_index")
    judged = discriminator(vectors["input_image"], None if labels is None else labels.long())
    errors = {"logits": relative_error(judged.logits, vectors["logits"])}
    for block, feature in judged.features.items():
        expected = vectors["feat_b4_fc" if block == "fc" else f"feat_{block}"]
        errors[block] = relative_error(feature, expected)
    return errors


def squeeze_errors(folder: Path) -> dict[str, float]:
    vectors = {key: torch.from_numpy(x) for key, x in np.load(folder / "io.npz").items()}
    source = {f"b{4 * 2**i}": vectors[f"feat_{i}"].mean(dim=(2, 3)) for i in range(4)}
    weights = load_file(folder / "weights.safetensors")
    squeeze = Squeeze({name: x.shape[1] for name, x in source.items()}, 24, 32)
    squeeze.load_state_dict(weights)
    return {
        "eval": relative_error(squeeze.eval()(source), vectors["output_eval"]),
        "train": relative_error(squeeze.train()(source), vectors["output_train"]),
        "vanilla": relative_error(RawTarget()(source), vectors["vanilla_output"]),
    }


def loss_errors(folder: Path) -> dict[str, float]:
    vectors = {key: torch.from_numpy(x) for key, x in np.load(folder / "io.npz").items()}
    cases = sorted({key.partition("_value_")[0] for key in vectors if "_value_mse" in key})
    errors = dict.fromkeys(("mse", "variance", "covariance"), 0.0)
    for case in cases:
        z1, z2 = vectors[f"{case}_z1"], vectors[f"{case}_z2"]
        for name, value in (
            ("mse", invariance(z1, z2)),
            ("variance", variance(z1)),
            ("covariance", covariance(z1)),
        ):
            expected = vectors[f"{case}_value_{name}{'' if name == 'mse' else '_z1'}"]
            errors[name] = max(errors[name], relative_error(value, expected))
    return errors
