"""StyleGAN2 discriminators out of checkpoints; `generators.stylegan2` has the generators."""

import math

from squeezespan.discriminators.stylegan2.network import StyleGAN2DiscriminatorConfig
from squeezespan.discriminators.stylegan2.settings import CLASSES
from squeezespan.discriminators.stylegan2.tensorflow_settings import (
    GROUP_SIZES,
    LR_MULTIPLIER,
    TENSORFLOW_CLASSES,
)
from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Checkpoint, Network
from squeezespan.generators.checkpoints.state_dicts import DISCRIMINATOR_ROLES, rank
from squeezespan.generators.published import verify
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan2.checkpoint import BARE_CLAMP, channel_rule, stored_clamp
from squeezespan.generators.stylegan2.layouts import published
from squeezespan.generators.stylegan2.layouts.tensorflow import is_tensorflow
from squeezespan.generators.stylegan2.network import Architecture

__all__ = ["discriminator_config", "find_discriminator", "is_discriminator"]

_GROUP_SIZE = 4


def is_discriminator(network: Network) -> bool:
    """Whether a network is a StyleGAN2 discriminator by the names of its weights."""
    return {"b4.out.weight", "b4.fc.weight", "b4.conv.weight"} <= network.shapes.keys()


def find_discriminator(checkpoint: Checkpoint) -> Network:
    """Give the checkpoint's StyleGAN2 discriminator.

    Raises:
        UserError: it has none.
    """
    found = [x for x in map(_published, checkpoint.networks.values()) if is_discriminator(x)]
    if found:
        best = min(found, key=lambda x: (rank(x.name, DISCRIMINATOR_ROLES) is None, x.name))
        best.check_classes(checkpoint.path)
        return best
    others = [x for x in checkpoint.networks if rank(x, DISCRIMINATOR_ROLES) is not None]
    if others:
        raise UserError(
            f"{checkpoint.path}: its discriminator {others[0]} is not StyleGAN2's, the only one "
            f"that is supported"
        )
    names = ", ".join(name or "one network" for name in checkpoint.networks)
    raise UserError(f"{checkpoint.path} holds no discriminator; it has {names[:120]}")


def _published(network: Network) -> Network:
    """In the published names, if it is a discriminator of a known layout."""
    try:
        return published(network)
    # A generator of that layout with a weight of its own stands in no one's way here.
    except UserError:
        return network


def discriminator_config(
    network: Network, bare_clamp: float | None = BARE_CLAMP
) -> StyleGAN2DiscriminatorConfig:
    """Give the configuration of a StyleGAN2 discriminator.

    Args:
        network: with the published names.
        bare_clamp: clamp of the convolutions where the file doesn't tell.

    Raises:
        UserError: of a variant that is not supported.
    """
    shapes = StateShapes(network.outline, "a StyleGAN2 discriminator")
    sizes = [2**i for i in range(3, 13)]
    found = [r for r in sizes if f"b{r}.conv0.weight" in shapes]
    lacking = [r for r in sizes if r <= max(found, default=8) and r not in found]
    if lacking:
        raise shapes.refusal(f"it lacks b{lacking[0]}.conv0.weight")
    resolution = found[-1]
    widths = {r: shapes.shape(f"b{r}.conv0.weight", 4)[1] for r in found}
    widths[4], inputs = shapes.shape("b4.conv.weight", 4)[:2]
    rule = channel_rule(widths)
    if rule is None:
        shown = ", ".join(f"{width} at {r}" for r, width in widths.items())
        raise shapes.refusal(f"its widths follow no StyleGAN2 rule: {shown}")
    channel_base, channel_max = rule
    num_classes, layers = 0, StyleGAN2DiscriminatorConfig.mapping_layers
    if "mapping.embed.weight" in shapes:
        num_classes = shapes.shape("mapping.embed.weight", 2)[1]
        layers = shapes.count("mapping.fc{}.weight")
    config = StyleGAN2DiscriminatorConfig(
        resolution=resolution,
        channels=shapes.shape(f"b{resolution}.fromrgb.weight", 4)[1],
        num_classes=num_classes,
        mapping_layers=layers,
        mapping_lr_multiplier=_lr_multiplier(network),
        channel_base=channel_base,
        channel_max=channel_max,
        architecture=_architecture(shapes, resolution),
        conv_clamp=stored_clamp(network, f"b{resolution}.conv0", bare_clamp),
        mbstd_group_size=_group_size(network) if inputs > widths[4] else _GROUP_SIZE,
        mbstd_channels=inputs - widths[4],
    )
    verify(network, config, TENSORFLOW_CLASSES if is_tensorflow(network) else CLASSES)
    return config


def _architecture(shapes: StateShapes, resolution: int) -> Architecture:
    if f"b{resolution}.skip.weight" in shapes:
        return "resnet"
    return "skip" if "b4.fromrgb.weight" in shapes else "orig"


def _lr_multiplier(network: Network) -> float:
    """Of the mapping's layers; the published default for bare weights."""
    default = StyleGAN2DiscriminatorConfig.mapping_lr_multiplier
    if is_tensorflow(network):
        value = network.arguments.get("mapping_lrmul", LR_MULTIPLIER)
    elif "mapping.fc0" in network.modules:
        value = network.modules["mapping.fc0"].attributes.get("bias_gain", default)
    else:
        return default
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise UserError(f"{network.name} has a mapping multiplier of {ascii(value)[:20]}")
    return float(value)


def _group_size(network: Network) -> int | None:
    """Images that share a minibatch standard deviation; the published default for bare weights."""
    if "b4.mbstd" in network.modules:
        size = network.modules["b4.mbstd"].attributes.get("group_size", _GROUP_SIZE)
    elif is_tensorflow(network):
        usual = GROUP_SIZES.get(str(network.attributes.get("build_func_name")), _GROUP_SIZE)
        size = network.arguments.get("mbstd_group_size", usual)
    else:
        size = network.arguments.get("mbstd_group_size", _GROUP_SIZE)
    if size is not None and (type(size) is not int or size < 1):
        raise UserError(f"{network.name} has a minibatch group of {ascii(size)[:20]} images")
    return size
