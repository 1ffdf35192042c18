"""Writing and opening discriminators' files."""

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.discriminators.stylegan2.checkpoint import (
    discriminator_config,
    find_discriminator,
)
from squeezespan.errors import UserError
from squeezespan.files import check_file, expanded
from squeezespan.generators.checkpoints.checkpoint import Checkpoint
from squeezespan.generators.checkpoints.descriptions import check_sizes, check_types
from squeezespan.generators.checkpoints.reader import read_checkpoint
from squeezespan.generators.choices import chosen_clamp
from squeezespan.generators.stylegan2.checkpoint import complete_filters
from squeezespan.hardware import resolve_device
from squeezespan.untrusted.safetensors import (
    load_weights,
    own_header,
    save_network,
)
from squeezespan.untrusted.wording import shown

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
    file = expanded(path)
    if file.is_dir():
        file = file / "discriminator.safetensors"
    check_file(file, "checkpoint file")
    checkpoint = read_checkpoint(file)
    tensors, config = (_read_own if checkpoint.metadata else _read_foreign)(checkpoint)
    if mbstd_group_size is not None:
        if type(mbstd_group_size) is not int or mbstd_group_size < 0:
            raise UserError(f"a group of {mbstd_group_size} images is none; give 0 or more")
        config = dataclasses.replace(config, mbstd_group_size=mbstd_group_size or None)
    if conv_clamp is not None:
        config = dataclasses.replace(config, conv_clamp=chosen_clamp(conv_clamp))
    try:
        with torch.device("meta"):
            discriminator = StyleGAN2Discriminator(config)
    except Exception as error:
        raise UserError(f"{file} has sizes that make no discriminator") from error
    load_weights(discriminator, complete_filters(tensors, discriminator.state_dict().keys()), file)
    return discriminator.eval().requires_grad_(False).to(device)


_Found = tuple[dict[str, Tensor], StyleGAN2DiscriminatorConfig]


def _read_own(checkpoint: Checkpoint) -> _Found:
    file = checkpoint.path
    header = own_header(file, checkpoint.metadata, "discriminator")
    try:
        config = StyleGAN2DiscriminatorConfig(**header["config"])
        check_sizes(config)
        check_types(config)
        return checkpoint.networks[""].state, config
    except UserError as error:
        raise UserError(f"{file} has an odd header: {shown(str(error), 300)}") from error
    # A damaged description fails in as many ways as the arithmetic on it.
    except Exception as error:
        raise UserError(f"{file} has a header that describes no discriminator") from error


def _read_foreign(checkpoint: Checkpoint) -> _Found:
    file, network = checkpoint.path, find_discriminator(checkpoint)
    try:
        return network.state, discriminator_config(network)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    except Exception as error:
        raise UserError(f"{file} has sizes that make no discriminator") from error
