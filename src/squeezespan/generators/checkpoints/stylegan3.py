"""StyleGAN3 and StyleGAN-XL generators out of checkpoints."""

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.state_shapes import StateShapes
from squeezespan.generators.stylegan3_config import StyleGAN3Config
from squeezespan.generators.stylegan3_reading import config_from_attributes
from squeezespan.generators.stylegan3_state import config_from_state
from squeezespan.generators.stylegan_xl import StyleGANXLConfig, xl_config

__all__ = ["check_layers", "stylegan3_config", "stylegan_xl_config"]

_MAX_SIDE = 1 << 13
_MAX_LAYERS = 100


def stylegan3_config(network: Network) -> StyleGAN3Config:
    """Give the configuration of a StyleGAN3 generator, from its attributes where it has them.

    Raises:
        UserError: something is missing, contradictory or unlike any published network.
    """
    if not network.modules:
        return config_from_state(network.outline)
    shapes = StateShapes(network.outline, "a StyleGAN3 generator")
    for part in ("mapping", "synthesis", "synthesis.input"):
        if part not in network.modules:
            raise shapes.refusal(f"it lacks {part}")
    names = network.modules["synthesis"].attributes.get("layer_names")
    if isinstance(names, list | tuple) and len(names) > _MAX_LAYERS:
        raise shapes.refusal(f"it has {len(names):,} layers")
    prefix = "synthesis."
    config = config_from_attributes(
        network.attributes,
        network.modules["mapping"].attributes,
        network.modules["synthesis"].attributes,
        network.modules["synthesis.input"].attributes,
        {
            name.removeprefix(prefix): module.attributes
            for name, module in network.modules.items()
            if name.startswith(prefix)
        },
    )
    check_layers(config, shapes)
    return config


def stylegan_xl_config(network: Network) -> StyleGANXLConfig:
    """Give the configuration of a StyleGAN-XL generator, stem or super-resolution.

    Raises:
        UserError: something is missing, contradictory or unlike any published network.
    """
    shapes = StateShapes(network.outline, "a StyleGAN-XL generator")
    rows, dim = shapes.shape("mapping.embed.weight", 2)
    return xl_config(stylegan3_config(network), rows, dim)


def check_layers(config: StyleGAN3Config, shapes: StateShapes) -> None:
    """Refuse a description that the weights contradict, before filters of its sizes are designed.

    Raises:
        UserError: a layer has other sizes than its weights, sizes beyond reason, or does not take
            what the layer before gives.
    """
    if not 0 < len(config.layers) <= _MAX_LAYERS or config.input_size > _MAX_SIDE:
        raise shapes.refusal("it has an odd number of layers or a huge input")
    previous = (config.input_size, config.input_sampling_rate, config.layers[0].in_channels)
    for layer in config.layers:
        taken = (layer.in_size, layer.in_sampling_rate, layer.in_channels)
        if taken != previous:
            raise shapes.refusal(
                f"layer {layer.name[:40]} takes (pixels, rate, channels) {taken}, but the layer "
                f"before gives {previous}"
            )
        previous = (layer.out_size, layer.out_sampling_rate, layer.out_channels)
        sides = (layer.in_size, layer.out_size, layer.in_sampling_rate, layer.out_sampling_rate)
        if not all(0 < side <= _MAX_SIDE for side in sides):
            raise shapes.refusal(f"layer {layer.name[:40]} has sides of {sides} pixels")
        name = f"synthesis.{layer.name}"
        described = (layer.out_channels, layer.in_channels, *[layer.conv_kernel] * 2)
        if shapes.shape(f"{name}.weight", 4) != described:
            raise shapes.refusal(f"{name} is described as {described}")
        for end, taps in (("up", layer.up_taps), ("down", layer.down_taps)):
            stored = f"{name}.{end}_filter"
            if stored in shapes and shapes.shape(stored, shapes.rank(stored))[0] == taps:
                continue
            if stored in shapes or taps != 1:
                raise UserError(f"{name}: its {end} filter does not have {taps} taps")
    if previous != (config.resolution, config.resolution, config.channels):
        raise shapes.refusal(
            f"its last layer gives {previous[2]} channels of {previous[0]} pixels, not "
            f"{config.channels} of {config.resolution}"
        )
