"""The families of generators, in the order in which they are asked whether they know a network."""

from typing import Any

from squeezespan.generators.autogan.checkpoint import FAMILY as AUTOGAN
from squeezespan.generators.biggan.checkpoint import FAMILY as BIGGAN
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.dcgan.checkpoint import FAMILY as DCGAN
from squeezespan.generators.family import Family
from squeezespan.generators.fastgan.checkpoint import FAMILY as FASTGAN
from squeezespan.generators.stylegan2.checkpoint import FAMILY as STYLEGAN2
from squeezespan.generators.stylegan3.checkpoint import FAMILY as STYLEGAN3
from squeezespan.generators.stylegan_xl.checkpoint import FAMILY as STYLEGAN_XL

__all__ = ["FAMILIES", "family_of", "find_family"]

FAMILIES: tuple[Family, ...] = (
    STYLEGAN2,
    STYLEGAN_XL,
    STYLEGAN3,
    FASTGAN,
    BIGGAN,
    AUTOGAN,
    DCGAN,
)


def family_of(network: Network) -> tuple[Network, Family] | None:
    """Give the family that knows a network's weights, and the network in its names.

    Raises:
        UserError: a family knows the layout, but not one of the weights.
    """
    for family in FAMILIES:
        candidate = family.publish(network)
        if family.recognizes(candidate.outline):
            return candidate, family
    return None


def find_family(name: Any) -> Family | None:
    """Give the family of this name, None for none."""
    return next((family for family in FAMILIES if family.name == name), None)
