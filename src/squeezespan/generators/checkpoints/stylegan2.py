"""StyleGAN2 networks out of checkpoints: sizes from the weights' shapes, the rest as stored.

The repositories write their constructor's arguments in different forms and with different
defaults, so sizes are read off the weights, and what leaves no trace there off the attributes that
a pickle keeps of every layer, whatever the repository.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.layers import resample_filter
from squeezespan.generators.mapping import MappedGenerator
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan2 import (
    Architecture,
    StyleGAN2Config,
)
from squeezespan.randomness import StepRandom

__all__ = [
    "channel_rule",
    "chosen_clamp",
    "complete_filters",
    "complete_generator",
    "estimate_average_w",
    "generator_config",
    "stored_clamp",
]

BARE_CLAMP = 256.0
"""Clamp of weights that come without a word: that of all mixed-precision training, far above what
activations reach in float32."""

_AVERAGE_BATCHES, _AVERAGE_BATCH = 8, 1024
_AVERAGE_PRODUCTS = 20_000_000_000
"""Multiplications at most; a mapping of 8 layers of 512 needs 17 billion for all batches."""

_RESOLUTIONS = [1 << i for i in range(2, 13)]
_MAPPING_LR_MULTIPLIER = 0.01


def generator_config(network: Network, bare_clamp: float | None = BARE_CLAMP) -> StyleGAN2Config:
    """Give the configuration of a StyleGAN2 generator.

    Args:
        network: with the published names.
        bare_clamp: clamp of the convolutions where the file doesn't tell.

    Raises:
        UserError: the weights are not those of a StyleGAN2, or of a variant that is not supported.
    """
    shapes = StateShapes(network.outline, "a StyleGAN2 generator")
    resolution = _resolution(shapes, "synthesis.b{}.conv1.weight")
    blocks = [r for r in _RESOLUTIONS if r <= resolution]
    widths = {r: shapes.shape(f"synthesis.b{r}.conv1.weight", 4)[0] for r in blocks}
    channel_base, channel_max = channel_rule(shapes, widths)
    w_dim = shapes.shape("synthesis.b4.conv1.affine.weight", 2)[1]
    layers = shapes.count("mapping.fc{}.weight")
    if not layers:
        raise shapes.refusal("it lacks mapping.fc0.weight")
    embed_dim, num_classes = 0, 0
    if "mapping.embed.weight" in shapes:
        embed_dim, num_classes = shapes.shape("mapping.embed.weight", 2)
    width, inputs = shapes.shape("mapping.fc0.weight", 2)
    if inputs <= embed_dim:
        raise shapes.refusal("its mapping network takes no z")
    _check_activation(network, shapes)
    return StyleGAN2Config(
        resolution=resolution,
        channels=shapes.shape(f"synthesis.b{resolution}.torgb.weight", 4)[0],
        z_dim=inputs - embed_dim,
        w_dim=w_dim,
        num_classes=num_classes,
        channel_base=channel_base,
        channel_max=channel_max,
        mapping_layers=layers,
        mapping_width=None if layers == 1 or width == w_dim else width,
        mapping_embed_width=embed_dim if embed_dim not in (0, w_dim) else None,
        architecture=_architecture(shapes, resolution),
        conv_clamp=stored_clamp(network, f"synthesis.b{resolution}.conv1", bare_clamp),
        w_avg_beta=_number(_attributes(network, "mapping").get("w_avg_beta"), 0.995),
    )


def channel_rule(shapes: StateShapes, widths: Mapping[int, int]) -> tuple[int, int]:
    """Give base and maximum such that every block is min(base / resolution, maximum) wide.

    Args:
        shapes: of the network, for the message.
        widths: resolution to channels.

    Raises:
        UserError: there are none.
    """
    widest = max(widths.values())
    tapered = {r: width for r, width in widths.items() if width < widest}
    # Every width is rounded down, so each bounds the base from both sides.
    least = max(r * width for r, width in widths.items())
    most = min((r * (width + 1) - 1 for r, width in tapered.items()), default=least)
    if least > most:
        found = ", ".join(f"{width} at {r}" for r, width in widths.items())
        raise shapes.refusal(f"its widths follow no StyleGAN2 rule: {found}")
    return least, widest


def stored_clamp(network: Network, layer: str, bare: float | None) -> float | None:
    """Give the clamp that a layer had, `bare` where the file doesn't tell.

    Raises:
        UserError: it is no number.
    """
    if layer in network.modules:
        clamp = network.modules[layer].attributes.get("conv_clamp")
    elif network.modules:
        clamp = network.arguments.get("conv_clamp")
    else:
        return bare
    if clamp is not None and (not isinstance(clamp, int | float) or not clamp > 0):
        raise UserError(f"{network.name} clamps at {ascii(clamp)[:20]}, which is no limit")
    return None if clamp is None else float(clamp)


def chosen_clamp(clamp: float) -> float | None:
    """Read a clamp that the user chose, 0 for none.

    Raises:
        UserError: it is no limit.
    """
    if not 0 <= clamp < math.inf:
        raise UserError(f"a clamp of {clamp:g} is none; give 0 or more")
    return clamp or None


def complete_generator(
    state: dict[str, Tensor], config: StyleGAN2Config, loose: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Add what a layout leaves out: fixed filters, noise that is off, the average of w.

    Args:
        state: with the published names.
        config: of the generator.
        loose: tensors beside the network; rosinality's layout has `latent_avg` there.

    Returns:
        a new dict; without `mapping.w_avg` where the file has no average at all.
    """
    complete = dict(state)
    average = loose.get("latent_avg")
    if "mapping.w_avg" not in complete and average is not None:
        complete["mapping.w_avg"] = average.flatten()[: config.w_dim]
    is_noiseless = not any(name.endswith(".noise_strength") for name in complete)
    for resolution in config.block_resolutions:
        for conv in ("conv0", "conv1") if resolution > 4 else ("conv1",):
            layer = f"synthesis.b{resolution}.{conv}"
            if is_noiseless:
                complete[f"{layer}.noise_strength"] = torch.zeros([])
            if f"{layer}.noise_const" not in complete:
                # Networks that draw new noise for every image store none.
                random = StepRandom(0, stream=f"{layer}.noise_const")
                complete[f"{layer}.noise_const"] = random.normal(resolution, resolution)
    return complete


def complete_filters(state: dict[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the fixed filters that some layouts leave out and drop those that we don't keep.

    Args:
        state: with the published names.
        own: state dict of our module.
    """
    filters = {name for name in own.keys() | state.keys() if name.endswith("resample_filter")}
    kept = {name: tensor for name, tensor in state.items() if name in own or name not in filters}
    missing = (filters & own.keys()) - state.keys()
    return kept | {name: resample_filter() for name in missing}


@torch.no_grad()
def estimate_average_w(generator: MappedGenerator) -> None:
    """Put the mean of many w where truncation looks for the average, for files without one.

    The draws are the same on every machine, so the average is a property of the weights.
    """
    total = torch.zeros(generator.info.w_dim)
    weights = sum(parameter.numel() for parameter in generator.mapping.parameters())
    affordable = _AVERAGE_PRODUCTS // (_AVERAGE_BATCH * max(weights, 1))
    batches = min(max(affordable, 1), _AVERAGE_BATCHES)
    for step in range(batches):
        random = StepRandom(0, step, stream="average-w")
        latents = generator.sample_latents(_AVERAGE_BATCH, random)
        total += generator.mapping(latents.z, latents.labels).mean(dim=0)
    generator.mapping.get_buffer("w_avg").copy_(total / batches)


def _resolution(shapes: StateShapes, template: str) -> int:
    found = [r for r in _RESOLUTIONS if template.format(r) in shapes]
    lacking = [r for r in _RESOLUTIONS if r <= max(found, default=4) and r not in found]
    if lacking:
        raise shapes.refusal(f"it lacks {template.format(lacking[0])}")
    return found[-1]


def _architecture(shapes: StateShapes, resolution: int) -> Architecture:
    if f"synthesis.b{resolution}.skip.weight" in shapes:
        return "resnet"
    return "skip" if resolution == 4 or "synthesis.b4.torgb.weight" in shapes else "orig"


def _attributes(network: Network, module: str) -> Mapping[str, Any]:
    return network.modules[module].attributes if module in network.modules else {}


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _check_activation(network: Network, shapes: StateShapes) -> None:
    """Refuse what can only be seen in a pickle: another activation or learning rate multiplier."""
    for name, module in network.modules.items():
        activation = module.attributes.get("activation", "lrelu")
        if name.endswith((".conv0", ".conv1")) and activation != "lrelu":
            raise shapes.refusal(f"{name} has the activation {ascii(activation)[:20]}")
    first = _attributes(network, "mapping.fc0")
    gain = _number(first.get("bias_gain"), _MAPPING_LR_MULTIPLIER)
    if abs(gain - _MAPPING_LR_MULTIPLIER) > 1e-9:
        raise shapes.refusal(f"its mapping has a learning rate multiplier of {gain}")
