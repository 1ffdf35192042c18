"""What a network's layers say of images: every layer's output, averaged over its area.

Layers are found by running the network: those that ran, in the order in which they ran.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.discriminators.stylegan2.network import Conv
from squeezespan.errors import UserError
from squeezespan.evaluation.analysis_options import LayerKind
from squeezespan.generators.base import Generated, Generator, Latents
from squeezespan.generators.blocks import pool_features
from squeezespan.generators.spectral_norm import (
    PowerIteratedConv2d,
    StoredNormConv2d,
    StoredNormConvTranspose2d,
)
from squeezespan.generators.stylegan2.layers import Skip, SynthesisLayer
from squeezespan.generators.stylegan3 import SynthesisLayer as StyleGAN3Layer
from squeezespan.models.backbones import features as stage_features
from squeezespan.models.student_file import Backbone

__all__ = [
    "Layers",
    "discriminator_layers",
    "generator_layers",
    "layers_that_run",
    "student_layers",
]

Layers = dict[str, Tensor]
"""Name of a layer to its output averaged over the area, float32 [B, C], in the order of running."""

_STYLEGAN = (SynthesisLayer, StyleGAN3Layer, Conv)
_CONVOLUTIONS = (
    nn.Conv2d,
    nn.ConvTranspose2d,
    PowerIteratedConv2d,
    StoredNormConv2d,
    StoredNormConvTranspose2d,
    Skip,
    *_STYLEGAN,
)
_ACTIVATION_HOMES = ("torch.nn.modules.activation", "timm.layers.activations")
"""Where the classes of activations are defined."""


@torch.no_grad()
def generator_layers(
    generator: Generator, latents: Latents, kind: LayerKind, **run: object
) -> tuple[Generated, Layers]:
    """Generate images and give the layers that made them.

    Args:
        generator: in eval mode.
        latents: of the images.
        kind: which layers. What has as many channels as an image is one (ToRGB,
            the last convolution) and is left out.
        run: `truncation`, `noise` and `random` of `Generator.forward`.

    Returns:
        What the generator gave, and its layers.

    Raises:
        UserError: the generator has no layers of that kind.
    """
    if kind == "blocks":
        generated: Generated = generator(latents, **run)
        return generated, pool_features(generated.features)
    made: list[Generated] = []
    layers = layers_that_run(generator, kind, lambda: made.append(generator(latents, **run)))
    channels = generator.info.channels
    kept = {name: x for name, x in layers.items() if x.shape[1] != channels}
    return made[0], _named(kept, f"the generator ({generator.info.family})", kind)


@torch.no_grad()
def discriminator_layers(
    discriminator: StyleGAN2Discriminator, images: Tensor, kind: LayerKind
) -> Layers:
    """Give a discriminator's layers.

    Args:
        discriminator: in eval mode. The class of a conditional one is not in its layers.
        images: float32 [B, C, R, R] in [-1, 1] of its own size. Where they don't fill its last
            group of images, whose spread it looks at, some are repeated for it.
        kind: which layers; `blocks` are those that it returns, `fc` the last.

    Raises:
        UserError: the images don't fit (see `StyleGAN2Discriminator.forward`).
    """
    count, group = len(images), discriminator.config.mbstd_group_size or 1
    full = torch.arange(-(-count // group) * group, device=images.device) % count
    images, labels = images[full], None
    if discriminator.config.num_classes:
        labels = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    if kind == "blocks":
        found = discriminator(images, labels).features
        layers = {name: _pooled(x) for name, x in found.items()}
    else:
        layers = layers_that_run(discriminator, kind, lambda: discriminator(images, labels))
    return {name: x[:count] for name, x in _named(layers, "the discriminator", kind).items()}


@torch.no_grad()
def student_layers(backbone: Backbone, images: Tensor, kind: LayerKind) -> Layers:
    """Give a student's layers.

    Args:
        backbone: in eval mode.
        images: as `Backbone.forward` takes them, best at its resolution.
        kind: which layers; `blocks` are the ends of timm's stages.

    Raises:
        UserError: the architecture has no layers of that kind.
    """
    if kind == "blocks":
        normalized = (images - backbone.mean) / backbone.std
        found = stage_features(backbone.network, normalized)
        return {name: _pooled(x) for name, x in found.items()}
    layers = layers_that_run(backbone.network, kind, lambda: backbone(images))
    return _named(layers, f"a {backbone.header['arch']}", kind)


def layers_that_run(
    network: nn.Module, kind: Literal["convolutions", "activations"], run: Callable[[], object]
) -> Layers:
    """Give the outputs of a network's layers while `run` runs it, in the order of running.

    Args:
        network: any module.
        kind: which layers.
        run: calls it once.

    Returns:
        As `named_modules` names them; what runs again has ` (2)`, ` (3)` behind its name.
    """
    seen: Layers = {}

    def watch(name: str) -> Callable[[nn.Module, object, object], None]:
        def keep(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim in (2, 3, 4):
                times = sum(known.partition(" (")[0] == name for known in seen) + 1
                key = name if times == 1 else f"{name} ({times})"
                seen[key] = _pooled(_without_margin(module, output))

        return keep

    hooks = [
        module.register_forward_hook(watch(name))
        for name, module in network.named_modules()
        if _is_layer(module, kind)
    ]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _is_layer(module: nn.Module, kind: Literal["convolutions", "activations"]) -> bool:
    if kind == "convolutions":
        return isinstance(module, _CONVOLUTIONS)
    return isinstance(module, _STYLEGAN) or type(module).__module__ in _ACTIVATION_HOMES


def _pooled(x: Tensor) -> Tensor:
    """Average maps [B, C, H, W] over their area and tokens [B, N, C] over their number."""
    if x.ndim == 4:
        return x.mean(dim=(2, 3), dtype=torch.float32)
    return x.mean(dim=1, dtype=torch.float32) if x.ndim == 3 else x.float()


def _without_margin(module: nn.Module, x: Tensor) -> Tensor:
    """StyleGAN3's maps reach beyond the image; only what is inside counts, as in its blocks."""
    if not isinstance(module, StyleGAN3Layer):
        return x
    side = module.config.out_sampling_rate
    margin = (x.shape[-1] - side) // 2
    return x[:, :, margin : margin + side, margin : margin + side]


def _named(layers: Layers, owner: str, kind: LayerKind) -> Layers:
    """Leave out the beginning that all names share; refuse none at all."""
    if not layers:
        other = "blocks" if kind == "convolutions" else "convolutions or blocks"
        raise UserError(f"{owner} has no modules that are {kind}; give --layers {other}")
    first = {name.partition(".")[0] for name in layers}
    if len(first) == 1 and all("." in name for name in layers):
        return {name.partition(".")[2]: x for name, x in layers.items()}
    return layers
