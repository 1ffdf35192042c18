"""From a checkpoint's network to a generator that runs."""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.checkpoints.checkpoint import Checkpoint, Network
from squeezespan.generators.checkpoints.descriptions import check_sizes, check_types
from squeezespan.generators.checkpoints.reader import read_checkpoint
from squeezespan.generators.checkpoints.state_dicts import (
    DISCRIMINATOR_ROLES,
    GENERATOR_ROLES,
    rank,
)
from squeezespan.generators.checkpoints.stylegan2 import (
    complete_filters,
    complete_generator,
    estimate_average_w,
)
from squeezespan.generators.families import Choices, Family, family_of, find_family
from squeezespan.generators.mapping import MappedGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.untrusted.safetensors import load_weights, read_network
from squeezespan.untrusted.wording import shown

__all__ = ["find_generator", "open_foreign", "open_own"]


def open_own(path: Path, choices: Choices) -> Generator:
    """Open a file that `save_network` wrote.

    Raises:
        UserError: damaged, of an unknown family, or one without what was chosen.
    """
    tensors, header = read_network(path, "generator")
    family = find_family(header.get("family"))
    if family is None:
        raise UserError(f"{path} is of an unknown family {shown(header.get('family'))}")
    _check_choices(path, family, choices)
    try:
        config = family.config_class(**header["config"])
        check_sizes(config)
        check_types(config)
        family.check(config, tensors)
    except UserError as error:
        raise UserError(f"{path} has an odd header: {shown(str(error), 300)}") from error
    # A damaged description fails in as many ways as the family's arithmetic on it.
    except Exception as error:
        raise UserError(f"{path} has a header that does not describe a {family.name}") from error
    try:
        config = family.choose(config, choices)
        generator = _outline(family, config)
    except UserError as error:
        raise UserError(f"{path}: {shown(str(error), 300)}") from error
    except Exception as error:
        raise UserError(f"{path} has a header that does not describe a {family.name}") from error
    load_weights(generator, tensors, path)
    return generator


def open_foreign(path: Path, choices: Choices) -> tuple[Generator, Checkpoint]:
    """Open the generator of any other checkpoint, the averaged one where there are several.

    Raises:
        UserError: damaged, without a generator, or of a family or variant that is not known.
    """
    checkpoint = read_checkpoint(path)
    network, family = find_generator(checkpoint)
    _check_choices(path, family, choices)
    try:
        config = family.configure(network, choices)
        check_sizes(config)
        generator = _outline(family, config)
    except UserError as error:
        raise UserError(f"{path}: {shown(str(error), 300)}") from error
    except Exception as error:
        reason = shown(str(error), 120)
        raise UserError(f"{path} has sizes that make no {family.name}: {reason}") from error
    state = network.state
    if isinstance(generator, StyleGAN2Generator):
        state = complete_generator(state, generator.config, checkpoint.loose)
    own = generator.state_dict()
    state = complete_filters(state, own)
    state = {**_unimportant(own.keys() - state.keys(), own), **state}
    average = own.get("mapping.w_avg")
    estimates = "mapping.w_avg" not in state and average is not None and average.ndim == 1
    if estimates:
        state["mapping.w_avg"] = torch.zeros(generator.info.w_dim)
    load_weights(generator, state, path)
    if estimates and isinstance(generator, MappedGenerator):
        estimate_average_w(generator)
    return generator, checkpoint


def _unimportant(missing: Set[str], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Buffers that images don't depend on and some writers leave out."""
    return {
        name: torch.zeros(own[name].shape, dtype=own[name].dtype)
        for name in missing
        if name.endswith((".num_batches_tracked", ".sv0"))
    }


def find_generator(checkpoint: Checkpoint) -> tuple[Network, Family]:
    """Give a checkpoint's generator and its family, the averaged one first.

    Raises:
        UserError: there is none, or none that is known.
    """
    for network in sorted(checkpoint.networks.values(), key=_place):
        for candidate in (network, _peeled(network)):
            family = family_of(candidate)
            if family is not None:
                network.check_classes(checkpoint.path)
                return candidate, family
    path, names = checkpoint.path, list(checkpoint.networks)
    others = [name for name in names if rank(name, DISCRIMINATOR_ROLES) is None]
    if not others or all("b4.out.weight" in checkpoint.networks[name].shapes for name in others):
        raise UserError(f"{path} holds a discriminator but no generator")
    checkpoint.networks[others[0]].check_classes(path)
    weights = sorted(checkpoint.networks[others[0]].shapes)
    raise UserError(
        f"{path} holds no known generator: {shown(others[0]) or 'its network'} has weights such "
        f"as {shown(', '.join(weights[:3]), 120)}"
    )


def _peeled(network: Network) -> Network:
    """The network without a first name that all of its bare weights share."""
    first = {name.partition(".")[0] for name in network.shapes}
    if network.modules or len(first) != 1:
        return network
    prefix = f"{first.pop()}."

    def read_state() -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensor for name, tensor in network.state.items()}

    shapes = {name.removeprefix(prefix): shape for name, shape in network.shapes.items()}
    return Network(network.name, shapes, read_state)


def _place(network: Network) -> tuple[bool, int]:
    place = rank(network.name, GENERATOR_ROLES)
    return place is None, place or 0


def _check_choices(path: Path, family: Family, choices: Choices) -> None:
    try:
        choices.check(family.name)
    except UserError as error:
        raise UserError(f"{path}: {shown(str(error), 300)}") from error


def _outline(family: Family, config: Any) -> Generator:
    """The generator without numbers, which costs no memory whatever its sizes."""
    with torch.device("meta"):
        return family.build(config)
