"""StyleGAN3's configuration by its constructor's arguments, as golden vectors have them."""

from collections.abc import Mapping
from typing import Any

from squeezespan.generators.stylegan3.attributes import layers_from_arguments
from squeezespan.generators.stylegan3.config import Ladder, StyleGAN3Config


def config_from_arguments(arguments: Mapping[str, Any]) -> StyleGAN3Config:
    """Give the configuration; what is absent has the published default."""
    layers = layers_from_arguments(arguments, arguments.get("num_layers", Ladder.num_layers) + 1)
    mapping = arguments.get("mapping_kwargs", {})
    return StyleGAN3Config(
        resolution=arguments["img_resolution"],
        layers=layers,
        channels=arguments["img_channels"],
        z_dim=arguments["z_dim"],
        w_dim=arguments["w_dim"],
        num_classes=arguments["c_dim"],
        mapping_layers=mapping.get("num_layers", 2),
        input_size=layers[0].in_size,
        input_sampling_rate=layers[0].in_sampling_rate,
        input_bandwidth=arguments.get("first_cutoff", Ladder.first_cutoff),
        output_scale=arguments.get("output_scale", 0.25),
    )
