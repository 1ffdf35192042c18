"""Writing and opening discriminators' files."""

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from squeezespan.discriminators.projected.files import FAMILY, discriminator_file
from squeezespan.discriminators.projected.network import ProjectedDiscriminator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.discriminators.stylegan2.checkpoint import (
    discriminator_config,
    find_discriminator,
)
from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Checkpoint
from squeezespan.generators.checkpoints.descriptions import check_description, checked
from squeezespan.generators.checkpoints.reader import read_checkpoint
from squeezespan.generators.choices import chosen_clamp
from squeezespan.generators.stylegan2.checkpoint import complete_filters
from squeezespan.hardware import resolve_device
from squeezespan.untrusted.safetensors import (
    load_weights,
    own_header,
    save_network,
)

__all__ = ["load_discriminator", "read_discriminator_provenance", "save_discriminator"]


def save_discriminator(
    path: Path,
    discriminator: StyleGAN2Discriminator | ProjectedDiscriminator,
    provenance: dict[str, Any],
) -> None:
    """Write a discriminator as safetensors with its configuration and provenance, atomically."""
    header = {
        "kind": "discriminator",
        "family": FAMILY if isinstance(discriminator, ProjectedDiscriminator) else "stylegan2",
        "config": dataclasses.asdict(discriminator.config),
        "provenance": provenance,
    }
    save_network(path, discriminator, header)


def load_discriminator(
    path: str | Path,
    device: torch.device | str = "cpu",
    *,
    mbstd_group_size: int | None = None,
    conv_clamp: float | None = None,
) -> StyleGAN2Discriminator:
    """Open a StyleGAN2 discriminator of `gan train` or of any checkpoint, frozen, in eval mode.

    Args:
        path: a checkpoint, or the folder of `squeezespan gan train`.
        device: where its parameters go.
        mbstd_group_size: images that share a minibatch standard deviation, instead of what the
            file tells (state dicts tell nothing, and 4 is assumed); 0 for the whole batch, as in
            arXiv 2211.03000.
        conv_clamp: of the convolutions, instead of the file's, as for `load_generator`.

    Raises:
        UserError: a missing, unreadable or foreign file, one without such a discriminator, or a
            choice that is no size or no limit.
    """
    device = resolve_device(device) if isinstance(device, str) else device
    file = discriminator_file(path)
    checkpoint = read_checkpoint(file)
    if checkpoint.metadata:
        tensors, config = _read_own(checkpoint)
    else:
        network = find_discriminator(checkpoint)
        with checked(str(file), "discriminator"):
            config = discriminator_config(network)
        tensors = network.state
    if mbstd_group_size is not None:
        if type(mbstd_group_size) is not int or mbstd_group_size < 0:
            raise UserError(f"a group of {mbstd_group_size} images is none; give 0 or more")
        config = dataclasses.replace(config, mbstd_group_size=mbstd_group_size or None)
    if conv_clamp is not None:
        config = dataclasses.replace(config, conv_clamp=chosen_clamp(conv_clamp))
    with checked(str(file), "discriminator"), torch.device("meta"):
        discriminator = StyleGAN2Discriminator(config)
    load_weights(discriminator, complete_filters(tensors, discriminator.state_dict().keys()), file)
    return discriminator.eval().requires_grad_(False).to(device)


def read_discriminator_provenance(path: str | Path) -> dict[str, Any]:
    """Give what a discriminator's file of ours says of its origin; of foreign ones nothing.

    Raises:
        UserError: a missing, unreadable or damaged file.
    """
    checkpoint = read_checkpoint(discriminator_file(path))
    if not checkpoint.metadata:
        return {}
    header = own_header(checkpoint.path, checkpoint.metadata, "discriminator")
    provenance = header.get("provenance")
    return provenance if isinstance(provenance, dict) else {}


def _read_own(checkpoint: Checkpoint) -> tuple[dict[str, Tensor], StyleGAN2DiscriminatorConfig]:
    header = own_header(checkpoint.path, checkpoint.metadata, "discriminator")
    if header.get("family") == FAMILY:
        raise UserError(
            f"{checkpoint.path} is a projected discriminator, which judges another network's "
            "features and opens as the start of a training only (--init.discriminator)"
        )
    with checked(f"{checkpoint.path} has an odd header", "discriminator"):
        config = StyleGAN2DiscriminatorConfig(**header["config"])
        check_description(config)
    return checkpoint.networks[""].state, config
