"""Reference networks, in their repositories' file formats, open and give the reference's images."""

from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_files.persistence import dump, snapshot
from checkpoint_files.pickling import pickled
from checkpoint_files.stylegan3_arguments import config_from_arguments
from golden_vectors import TOLERANCE, Golden, read_golden, relative_error, stylegan2_config

import squeezespan
from squeezespan.generators import fastgan
from squeezespan.generators.base import Generator
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.generators.stylegan3.config import Ladder
from squeezespan.generators.stylegan_xl import (
    StyleGANXLGenerator,
    superresolution_config,
    xl_config,
)

STYLEGAN2 = [
    "stylegan2",
    "stylegan2_64",
    "stylegan2_cond",
    "stylegan2_resnet_arch",
    "stylegan2_orig_arch",
    "projected_gan_stylegan2",
]
STYLEGAN3 = ["stylegan3_t", "stylegan3_r", "stylegan_xl", "stylegan_xl_superres"]
FASTGAN = ["projected_gan_fastgan", "projected_gan_fastgan_lite_cond"]
STATE_DICTS = [
    *("biggan_diffaugment", "biggan_shared_hier_attn", "biggan_mybn"),
    *("autogan", "autogan_c", "autogan_stl10", "autogan_derived", "autogan_derived_post"),
]


def build(golden: Golden) -> Generator:
    """The reference network in our modules, from its constructor's arguments."""
    arguments = golden.config["constructor"]
    if golden.name in FASTGAN:
        return fastgan.FastGANGenerator(fastgan.config_from_state(golden.weights))
    if golden.name in STYLEGAN2:
        return StyleGAN2Generator(stylegan2_config(arguments))
    rows, dim = 12, 20
    if golden.name == "stylegan_xl_superres":
        stem = golden.config["stem_constructor"]
        ladder = Ladder(
            resolution=arguments["img_resolution"],
            num_layers=arguments["head_layers"],
            channel_base=stem["channel_base"],
            channel_max=stem["channel_max"],
        )
        stem_config = xl_config(config_from_arguments(stem), rows, dim)
        return StyleGANXLGenerator(superresolution_config(stem_config, ladder))
    config = config_from_arguments(arguments)
    if golden.name == "stylegan_xl":
        return StyleGANXLGenerator(xl_config(config, rows, dim))
    return StyleGAN3Generator(config)


def errors_of(golden: Golden, path: Path, **choices: Any) -> dict[str, float]:
    """Relative errors of what a file opens as."""
    opened = squeezespan.load_generator(path, **choices)
    noise: Any = "none" if golden.name in FASTGAN else "const"
    with torch.no_grad():
        generated = opened(golden.latents, noise=noise)
    errors = {"image": relative_error(generated.images, golden.vectors["image"])}
    for block, feature in generated.features.items():
        expected = golden.vectors.get(f"feat_{block}", golden.vectors.get(f"feat_r{block[1:]}"))
        if expected is not None and expected.shape == feature.shape:
            errors[block] = relative_error(feature, expected)
    return errors


@pytest.mark.parametrize("name", [*STYLEGAN2, *STYLEGAN3, *FASTGAN])
def test_pickles(name: str, shared: Path, tmp_path: Path) -> None:
    golden = read_golden(shared, name)
    generator = build(golden)
    generator.load_state_dict(golden.weights)
    path = tmp_path / f"{name}.pkl"
    path.write_bytes(dump(snapshot(pickled(generator.eval()))))
    errors = errors_of(golden, path)
    assert max(errors.values()) < TOLERANCE


@pytest.mark.parametrize("name", [*STATE_DICTS, "stylegan2", "stylegan3_r"])
@pytest.mark.parametrize("is_zip", [True, False])
def test_state_dicts(name: str, is_zip: bool, shared: Path, tmp_path: Path) -> None:
    golden = read_golden(shared, name)
    path = tmp_path / f"{name}.pth"
    torch.save(golden.weights, path, _use_new_zipfile_serialization=is_zip)
    choices = {"genotype": golden.config["arch"]} if "arch" in golden.config else {}
    errors = errors_of(golden, path, **choices if name.startswith("autogan") else {})
    assert max(errors.values()) < TOLERANCE
