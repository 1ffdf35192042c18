"""StyleGAN2 networks out of checkpoints: sizes from the weights' shapes, the rest as stored.

The repositories write their constructor's arguments in different forms and with different
defaults, so sizes are read off the weights, and what leaves no trace there off the attributes that
a pickle keeps of every layer, whatever the repository.
"""

import dataclasses
from collections.abc import Mapping, Set
from typing import Any

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.choices import Choices, chosen_clamp, described_clamp
from squeezespan.generators.family import Family, State
from squeezespan.generators.layers import resample_filter
from squeezespan.generators.published import verify
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan2.layouts import published
from squeezespan.generators.stylegan2.layouts.tensorflow import is_tensorflow
from squeezespan.generators.stylegan2.network import (
    Architecture,
    StyleGAN2Config,
    StyleGAN2Generator,
)
from squeezespan.generators.stylegan2.settings import CLASSES
from squeezespan.generators.stylegan2.tensorflow_settings import TENSORFLOW_CLASSES
from squeezespan.randomness import StepRandom

__all__ = [
    "FAMILY",
    "channel_rule",
    "complete",
    "complete_filters",
    "generator_config",
    "stored_clamp",
]

BARE_CLAMP = 256.0
"""Clamp of weights that come without a word: that of all mixed-precision training, far above what
activations reach in float32."""

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
    rule = channel_rule(widths)
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
    config = StyleGAN2Config(
        resolution=resolution,
        channels=shapes.shape(f"synthesis.b{resolution}.torgb.weight", 4)[0],
        z_dim=inputs - embed_dim,
        w_dim=w_dim,
        num_classes=num_classes,
        channel_base=rule[0] if rule else StyleGAN2Config.channel_base,
        channel_max=rule[1] if rule else StyleGAN2Config.channel_max,
        widths=None if rule else tuple(widths.values()),
        use_noise=any(
            name.endswith((".noise_strength", ".noise_const")) for name in shapes.names()
        ),
        mapping_layers=layers,
        mapping_width=None if layers == 1 or width == w_dim else width,
        mapping_embed_width=embed_dim if embed_dim not in (0, w_dim) else None,
        architecture=_architecture(shapes, resolution),
        conv_clamp=stored_clamp(network, f"synthesis.b{resolution}.conv1", bare_clamp),
        mapping_lr_multiplier=_number(
            _attributes(network, "mapping.fc0").get("bias_gain"), _MAPPING_LR_MULTIPLIER
        ),
        w_avg_beta=_number(_attributes(network, "mapping").get("w_avg_beta"), 0.995),
    )
    verify(network, config, TENSORFLOW_CLASSES if is_tensorflow(network) else CLASSES)
    return config


def channel_rule(widths: Mapping[int, int]) -> tuple[int, int] | None:
    """Give base and maximum such that every block is min(base / resolution, maximum) wide.

    Args:
        widths: resolution to channels.

    Returns:
        None if there are none.
    """
    widest = max(widths.values())
    tapered = {r: width for r, width in widths.items() if width < widest}
    # Every width is rounded down, so each bounds the base from both sides.
    least = max(r * width for r, width in widths.items())
    most = min((r * (width + 1) - 1 for r, width in tapered.items()), default=least)
    return None if least > most else (least, widest)


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
        clamp = network.told.get("conv_clamp", bare)
    if clamp is not None and (not isinstance(clamp, int | float) or not clamp > 0):
        raise UserError(f"{network.name} clamps at {ascii(clamp)[:20]}, which is no limit")
    return None if clamp is None else float(clamp)


def complete(
    state: State, config: StyleGAN2Config, network: Network, loose: Mapping[str, Tensor]
) -> tuple[State, list[str]]:
    """Add what a layout leaves out: fixed filters, fixed noise, the average of w.

    Args:
        state: with the published names.
        config: of the generator.
        network: that the state is of; its modules may say that some layers take no noise.
        loose: tensors beside the network; rosinality's layout has `latent_avg` there.

    Returns:
        a new dict, without `mapping.w_avg` where the file has no average at all; and what was
        added that changes images.
    """
    complete, notes = dict(state), []
    average = loose.get("latent_avg")
    if "mapping.w_avg" not in complete and average is not None:
        complete["mapping.w_avg"] = average.flatten()[: config.w_dim]
    layers = [
        f"synthesis.b{resolution}.{conv}"
        for resolution in config.block_resolutions
        for conv in (("conv0", "conv1") if resolution > 4 else ("conv1",))
    ]
    drawn = [x for x in layers if config.use_noise and f"{x}.noise_const" not in complete]
    for layer in drawn:
        # Networks that draw new noise for every image store none.
        random = StepRandom(0, stream=f"{layer}.noise_const")
        side = int(layer.split(".")[1][1:])
        complete[f"{layer}.noise_const"] = random.normal(side, side)
    if drawn:
        notes.append(f"fixed noise, which the file lacks in {len(drawn)} layers, is drawn anew")
    for layer in layers:
        if config.use_noise and not _attributes(network, layer).get("use_noise", True):
            complete[f"{layer}.noise_strength"] = torch.zeros([])
    names = {f"{layer}.resample_filter" for layer in layers}
    names |= {f"synthesis.b{resolution}.resample_filter" for resolution in config.block_resolutions}
    if config.architecture == "resnet":
        names |= {f"synthesis.b{r}.skip.resample_filter" for r in config.block_resolutions[1:]}
    return complete_filters(complete, names), notes


def complete_filters(state: State, own: Set[str]) -> State:
    """Add the fixed filters that some layouts leave out and drop those that we don't keep.

    Args:
        state: with the published names.
        own: names of the weights of our module, or of its filters at least.
    """
    filters = {name for name in own | state.keys() if name.endswith("resample_filter")}
    kept = {name: tensor for name, tensor in state.items() if name in own or name not in filters}
    missing = (filters & own) - state.keys()
    return kept | {name: resample_filter() for name in missing}


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


def _choose(config: StyleGAN2Config, choices: Choices) -> StyleGAN2Config:
    if choices.conv_clamp is None:
        return config
    return dataclasses.replace(config, conv_clamp=chosen_clamp(choices.conv_clamp))


def _assume(network: Network, config: StyleGAN2Config, choices: Choices) -> list[str]:
    notes = list(network.assumed)
    if not network.modules and "conv_clamp" not in network.told and choices.conv_clamp is None:
        notes.insert(0, f"convolutions clamped at {config.conv_clamp:g} (--conv-clamp)")
    if not network.modules:
        notes.append(f"a mapping of learning-rate multiplier {config.mapping_lr_multiplier:g}")
    return notes


def _describe(config: StyleGAN2Config) -> str:
    parts = [f"{config.architecture} architecture", described_clamp(config.conv_clamp)]
    if not config.use_noise:
        parts.append("no noise inputs")
    parts.append(f"mapping of learning-rate multiplier {config.mapping_lr_multiplier:g}")
    return ", ".join(parts)


FAMILY = Family(
    "stylegan2",
    lambda state: "synthesis.b4.const" in state,
    lambda network, choices: _choose(generator_config(network), choices),
    StyleGAN2Config,
    StyleGAN2Generator,
    _describe,
    publish=published,
    assume=_assume,
    complete=complete,
    choose=_choose,
)
