"""From a checkpoint's network to a generator that runs."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.checkpoints.checkpoint import Checkpoint, Network
from squeezespan.generators.checkpoints.descriptions import check_description, checked
from squeezespan.generators.checkpoints.state_dicts import (
    DISCRIMINATOR_ROLES,
    GENERATOR_ROLES,
    rank,
)
from squeezespan.generators.choices import Choices
from squeezespan.generators.class_shares import read_class_shares
from squeezespan.generators.families import family_of, find_family
from squeezespan.generators.family import Family
from squeezespan.generators.mapping import MappedGenerator, estimate_average_w
from squeezespan.generators.outline import check_images
from squeezespan.untrusted.safetensors import load_weights, own_header
from squeezespan.untrusted.wording import shown

__all__ = ["Opened", "describe_foreign", "open_foreign", "open_own"]

_JUDGING = {"b4.out.weight", "final_linear.0.weight"}
"""Last layers of the discriminators that stand alone in files."""


@dataclass(frozen=True)
class Opened:
    """A generator and where it comes from."""

    generator: Generator
    header: dict[str, Any]
    """`kind`, `family` and `provenance`; of a file of ours whatever its header holds."""
    is_foreign: bool = False
    """Whether it is in a file that another program wrote."""


def open_own(checkpoint: Checkpoint, choices: Choices) -> Opened:
    """Open a file that `save_network` wrote.

    Raises:
        UserError: damaged, of an unknown family, or one without what was chosen.
    """
    path = checkpoint.path
    header = own_header(path, checkpoint.metadata, "generator")
    tensors = checkpoint.networks[""].state
    family = find_family(header.get("family"))
    if family is None:
        raise UserError(f"{path} is of an unknown family {shown(header.get('family'))}")
    with checked(f"{path} has an odd header", family.name):
        config = family.config_class(**header["config"])
        check_description(config)
        family.check(config, tensors)
    with checked(str(path), family.name):
        choices.check(family.name)
        generator = _outline(family, family.choose(config, choices))
    if "class_shares" in header:
        with checked(f"{path} has an odd header", family.name):
            shares = read_class_shares(header["class_shares"], generator.info.num_classes)
            generator.class_shares = shares
    load_weights(generator, tensors, path)
    return Opened(generator, header)


def open_foreign(checkpoint: Checkpoint, choices: Choices) -> Opened:
    """Open the generator of any other checkpoint, the averaged one where there are several.

    Raises:
        UserError: damaged, without a generator, or of a family or variant that is not known.
    """
    path = checkpoint.path
    network, family = _find_generator(checkpoint)
    with checked(str(path), family.name):
        choices.check(family.name)
        config = family.configure(network, choices)
        check_description(config)
        generator = _outline(family, config)
        assumed = family.assume(network, config, choices)
    state, added = family.complete(network.state, config, network, checkpoint.loose)
    own = generator.state_dict()
    state = {**_unimportant(own.keys() - state.keys(), own), **state}
    average = own.get("mapping.w_avg")
    estimates = "mapping.w_avg" not in state and average is not None and average.ndim == 1
    if estimates:
        state["mapping.w_avg"] = torch.zeros(generator.info.w_dim)
    load_weights(generator, state, path)
    if estimates and isinstance(generator, MappedGenerator):
        drawn = estimate_average_w(generator)
        added.append(f"the average of w, which truncation needs, is that of {drawn:,} w of ours")
    header = _header(checkpoint, network, family, assumed + added)
    return Opened(generator, header, is_foreign=True)


def describe_foreign(checkpoint: Checkpoint) -> dict[str, Any]:
    """Give the header of a foreign file as `open_foreign` does, without its weights.

    Raises:
        UserError: damaged, without a generator, or of a family that is not known.
    """
    network, family = _find_generator(checkpoint)
    try:
        assumed = family.assume(network, family.configure(network, Choices()), Choices())
    # What the file doesn't tell may have to be chosen first.
    except UserError:
        assumed = []
    return _header(checkpoint, network, family, assumed)


def _header(
    checkpoint: Checkpoint, network: Network, family: Family, assumed: list[str]
) -> dict[str, Any]:
    provenance: dict[str, Any] = {
        "file": checkpoint.path.name,
        "format": checkpoint.format,
        "network": network.name,
    }
    others = [name for name in checkpoint.networks if name != network.name]
    if others:
        provenance["also in the file"] = shown(", ".join(others), 120)
    if assumed:
        provenance["assumed"] = assumed
    return {"kind": "generator", "family": family.name, "provenance": provenance}


def _unimportant(missing: Set[str], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Buffers that images don't depend on and some writers leave out."""
    return {
        name: torch.zeros(own[name].shape, dtype=own[name].dtype)
        for name in missing
        if name.endswith((".num_batches_tracked", ".sv0"))
    }


def _find_generator(checkpoint: Checkpoint) -> tuple[Network, Family]:
    """Give a checkpoint's generator and its family, the averaged one first.

    Raises:
        UserError: there is none, or none that is known.
    """
    path = checkpoint.path
    for network in sorted(checkpoint.networks.values(), key=_place):
        for candidate in (network, _peeled(network)):
            with checked(str(path), "known generator"):
                found = family_of(candidate)
            if found is not None:
                found[0].check_classes(path)
                return found
    names = list(checkpoint.networks)
    others = [name for name in names if rank(name, DISCRIMINATOR_ROLES) is None]
    if all(_JUDGING & checkpoint.networks[name].shapes.keys() for name in others):
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


def _outline(family: Family, config: Any) -> Generator:
    """The generator without numbers, which costs no memory whatever its sizes."""
    with torch.device("meta"):
        generator = family.build(config).eval()
    check_images(generator)
    return generator
