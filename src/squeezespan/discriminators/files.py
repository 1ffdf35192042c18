"""Writing and opening discriminators' files."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.reader import read_checkpoint
from squeezespan.generators.checkpoints.safetensors import (
    has_header,
    load_weights,
    read_network,
    save_network,
)
from squeezespan.generators.checkpoints.sniff import container_of
from squeezespan.generators.checkpoints.stylegan2 import complete_filters
from squeezespan.generators.checkpoints.stylegan2_discriminator import (
    discriminator_config,
    find_discriminator,
)

__all__ = ["load_discriminator", "save_discriminator"]


def save_discriminator(
    path: Path, discriminator: StyleGAN2Discriminator, provenance: dict[str, Any]
) -> None:
    """Write a discriminator as safetensors with its configuration and provenance, atomically."""
    header = {
        "kind": "discriminator",
        "family": "stylegan2",
        "config": dataclasses.asdict(discriminator.config),
        "provenance": provenance,
    }
    save_network(path, discriminator, header)


def load_discriminator(
    path: str | Path, device: torch.device | str = "cpu"
) -> StyleGAN2Discriminator:
    """Open a StyleGAN2 discriminator of `gan train` or of any checkpoint, frozen, in eval mode.

    Raises:
        UserError: a missing, unreadable or foreign file, or one without such a discriminator.
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"there is no checkpoint file {file}")
    if container_of(file) == "safetensors" and has_header(file):
        discriminator = _open_own(file)
    else:
        discriminator = _open_foreign(file)
    return discriminator.eval().requires_grad_(False).to(device)


def _open_own(file: Path) -> StyleGAN2Discriminator:
    tensors, header = read_network(file, "discriminator")
    try:
        config = StyleGAN2DiscriminatorConfig(**header["config"])
        with torch.device("meta"):
            discriminator = StyleGAN2Discriminator(config)
    # A damaged description fails in as many ways as the arithmetic on it.
    except Exception as error:
        raise UserError(f"{file} has a header that describes no discriminator") from error
    load_weights(discriminator, tensors, file)
    return discriminator


def _open_foreign(file: Path) -> StyleGAN2Discriminator:
    network = find_discriminator(read_checkpoint(file))
    try:
        config = discriminator_config(network)
        with torch.device("meta"):
            discriminator = StyleGAN2Discriminator(config)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    except Exception as error:
        raise UserError(f"{file} has sizes that make no discriminator") from error
    state = complete_filters(network.state, discriminator.state_dict())
    load_weights(discriminator, state, file)
    return discriminator
