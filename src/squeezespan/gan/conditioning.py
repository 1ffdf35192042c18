"""Conditional networks that begin as unconditional ones, which compute the same for every class."""

import math

import torch
from torch import Tensor

from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.generators.layers import LEAKY_GAIN, LEAKY_SLOPE
from squeezespan.generators.stylegan2 import StyleGAN2Generator

__all__ = ["conditional_discriminator", "conditional_generator"]

_FIRST = "mapping.fc0.weight"


def conditional_generator(
    fresh: StyleGAN2Generator, trained: StyleGAN2Generator
) -> dict[str, Tensor]:
    """Give the weights of an unconditional generator to a conditional one of otherwise its sizes.

    The first layer of the mapping network takes nothing from the class's embedding at first, and
    learns to.

    Args:
        fresh: conditional, with random weights.
        trained: unconditional.

    Returns:
        A state for `fresh`.
    """
    own, old = fresh.state_dict(), trained.state_dict()
    first = torch.zeros_like(own[_FIRST])
    width = old[_FIRST].shape[1]
    # Layers divide by the root of their inputs' number, which is larger now.
    first[:, :width] = old[_FIRST] * math.sqrt(first.shape[1] / width)
    return {**own, **old, _FIRST: first}


def conditional_discriminator(
    fresh: StyleGAN2Discriminator, trained: StyleGAN2Discriminator
) -> dict[str, Tensor]:
    """Give the weights of an unconditional discriminator to a conditional one.

    Its logit is the product of a vector of the class, v, with one of the image, r. At first v is
    the same for all classes, and r is random but for the part along v, which gives the old logit.

    Args:
        fresh: conditional, with random weights.
        trained: unconditional, of otherwise its sizes.

    Returns:
        A state for `fresh`.
    """
    own, old = fresh.state_dict(), trained.state_dict()
    last = f"mapping.fc{fresh.config.mapping_layers - 1}"
    gain = fresh.config.mapping_lr_multiplier
    bias = torch.randn(fresh.b4.cmap_dim, device=own[f"{last}.bias"].device)
    v = LEAKY_GAIN * torch.where(bias > 0, bias, bias * LEAKY_SLOPE)
    along = v / v.square().sum()
    changed = {
        f"{last}.weight": torch.zeros_like(own[f"{last}.weight"]),
        f"{last}.bias": bias / gain,
    }
    for name in ("b4.out.weight", "b4.out.bias"):
        random, wanted = own[name], old[name] * math.sqrt(len(v))
        rest = wanted[0] - torch.tensordot(v, random, 1)
        changed[name] = random + torch.tensordot(along, rest, 0)
    return {**own, **old, **changed}
