"""Opening a projected discriminator's file."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from squeezespan.discriminators.projected.features import STAGES
from squeezespan.discriminators.projected.network import (
    ProjectedDiscriminator,
    ProjectedDiscriminatorConfig,
)
from squeezespan.errors import UserError
from squeezespan.files import check_file, expanded
from squeezespan.generators.checkpoints.descriptions import check_description, checked
from squeezespan.untrusted.safetensors import load_weights, read_network
from squeezespan.untrusted.wording import shown

__all__ = ["FAMILY", "discriminator_file", "load_projected"]

FAMILY = "projected"
"""As the header of its file names it."""


def discriminator_file(path: str | Path) -> Path:
    """Give the file of a discriminator, which may be named by its training's folder.

    Raises:
        UserError: there is no ordinary file.
    """
    file = expanded(path)
    if file.is_dir():
        file = file / "discriminator.safetensors"
    check_file(file, "checkpoint file")
    return file


def load_projected(path: str | Path) -> tuple[ProjectedDiscriminator, dict[str, Any]]:
    """Open the mixing and the heads of a projected discriminator that `gan train` left.

    Args:
        path: the file, or the training's folder.

    Returns:
        The network on the CPU in eval mode, and its provenance, which tells the feature network
        that it judges.

    Raises:
        UserError: a missing, unreadable or foreign file, or a discriminator of another family.
    """
    file = discriminator_file(path)
    tensors, header = read_network(file, "discriminator")
    if header.get("family") != FAMILY:
        raise UserError(
            f"{file} is a {shown(header.get('family'))} discriminator, but the run trains a "
            "projected one (--discriminator.family)"
        )
    with checked(f"{file} has an odd header", "discriminator"):
        config = ProjectedDiscriminatorConfig(**header["config"])
        channels = tuple(config.feature_channels)
        config = dataclasses.replace(config, feature_channels=channels)
        check_description(config)
        if len(channels) != STAGES:
            raise UserError(f"it has {len(channels)} feature maps, not {STAGES}")
        provenance = dict(header["provenance"])
        with torch.device("meta"):
            discriminator = ProjectedDiscriminator(config)
    load_weights(discriminator, tensors, file)
    return discriminator.eval().requires_grad_(False), provenance
