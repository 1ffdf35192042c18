"""What published pickles say of StyleGAN2's, StyleGAN3's and StyleGAN-XL's modules."""

import re
from typing import Any

import numpy as np
from checkpoint_files.persistence import Part, easy_dict
from torch import nn

from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.generators import stylegan2, stylegan3
from squeezespan.generators.layers import FullyConnected
from squeezespan.generators.stylegan2 import StyleGAN2Config
from squeezespan.generators.stylegan3_config import LayerConfig, StyleGAN3Config

_GAIN = np.sqrt(2)


class StyleGAN2Parts:
    """Attributes as stylegan2-ada-pytorch stores them.

    Args:
        config: of the generator.
        flat: keep the synthesis network's arguments beside the others, as stylegan3's copy does.
    """

    def __init__(self, config: StyleGAN2Config, *, flat: bool = False) -> None:
        self.config = config
        self.flat = flat

    def __call__(self, path: str, module: nn.Module) -> Part:
        config, leaf = self.config, path.rpartition(".")[2]
        if not path:
            num_ws = {"num_ws": 2 * len(config.block_resolutions)}
            return Part("Generator", self._sizes() | num_ws, self._arguments())
        if path == "mapping":
            beta = {"num_layers": config.mapping_layers, "w_avg_beta": config.w_avg_beta}
            return Part("MappingNetwork", self._sizes() | beta)
        if path == "synthesis":
            return Part("SynthesisNetwork", {"img_resolution": config.resolution})
        if isinstance(module, FullyConnected):
            gains = {"weight_gain": _GAIN / 10, "bias_gain": 0.01 if leaf[:2] == "fc" else 1}
            return Part("FullyConnectedLayer", {"activation": "linear"} | gains)
        if leaf == "torgb":
            return Part("ToRGBLayer", {"conv_clamp": config.conv_clamp, "weight_gain": _GAIN / 4})
        if leaf in ("conv0", "conv1"):
            attributes = {"up": 2 if leaf == "conv0" else 1, "use_noise": True, "act_gain": _GAIN}
            clamp = {"activation": "lrelu", "conv_clamp": config.conv_clamp, "padding": 1}
            return Part("SynthesisLayer", attributes | clamp)
        if leaf == "skip":
            return Part("Conv2dLayer", {"conv_clamp": None, "activation": "linear"})
        assert isinstance(module, stylegan2.SynthesisBlock)
        return Part("SynthesisBlock", {"architecture": config.architecture, "use_fp16": False})

    def _sizes(self) -> dict[str, Any]:
        return {"z_dim": self.config.z_dim, "c_dim": self.config.num_classes} | {
            "w_dim": self.config.w_dim,
            "img_resolution": self.config.resolution,
            "img_channels": self.config.channels,
        }

    def _arguments(self) -> dict[str, Any]:
        synthesis = {
            "channel_base": self.config.channel_base,
            "channel_max": self.config.channel_max,
            "num_fp16_res": 4,
            "conv_clamp": self.config.conv_clamp,
        }
        mapping = {"mapping_kwargs": easy_dict({"num_layers": self.config.mapping_layers})}
        nested = synthesis if self.flat else {"synthesis_kwargs": easy_dict(synthesis)}
        return self._sizes() | mapping | nested


def discriminator_part(path: str, module: nn.Module) -> Part:
    """Attributes of a StyleGAN2 discriminator's modules."""
    if not path:
        assert isinstance(module, StyleGAN2Discriminator)
        group = {"mbstd_group_size": module.config.mbstd_group_size}
        return Part("Discriminator", {"img_channels": module.config.channels}, group)
    leaf = path.rpartition(".")[2]
    if re.fullmatch(r"b\d+", leaf):
        name = "DiscriminatorEpilogue" if leaf == "b4" else "DiscriminatorBlock"
        return Part(name, {"resolution": int(leaf[1:]), "architecture": "resnet"})
    if leaf in ("fc", "out"):
        return Part("FullyConnectedLayer", {"activation": "linear", "bias_gain": 1})
    return Part("Conv2dLayer", {"conv_clamp": 256, "activation": "lrelu"})


class StyleGAN3Parts:
    """Attributes as the stylegan3 and stylegan-xl repositories store them."""

    def __init__(self, config: StyleGAN3Config) -> None:
        self.config = config
        self.layers = {layer.name: layer for layer in config.layers}

    def __call__(self, path: str, module: nn.Module) -> Part:
        config = self.config
        if not path:
            sizes = {"z_dim": config.z_dim, "c_dim": config.num_classes, "w_dim": config.w_dim}
            images = {"img_resolution": config.resolution, "img_channels": config.channels}
            return Part("Generator", sizes | images | {"num_ws": config.num_ws}, sizes | images)
        if path == "mapping":
            numbers = {"num_layers": config.mapping_layers, "w_avg_beta": config.w_avg_beta}
            return Part("MappingNetwork", numbers)
        if path == "synthesis":
            names = {"layer_names": list(self.layers), "output_scale": config.output_scale}
            return Part("SynthesisNetwork", names | {"num_ws": config.num_ws})
        if path == "synthesis.input":
            return Part("SynthesisInput", self._input())
        if isinstance(module, FullyConnected):
            return Part("FullyConnectedLayer", {"activation": "linear", "bias_gain": 1})
        assert isinstance(module, stylegan3.SynthesisLayer)
        return Part("SynthesisLayer", _layer(self.layers[path.rpartition(".")[2]]))

    def _input(self) -> dict[str, Any]:
        return {
            "size": np.array([self.config.input_size] * 2),
            "sampling_rate": float(self.config.input_sampling_rate),
            "bandwidth": np.float64(self.config.input_bandwidth),
        }


def _layer(layer: LayerConfig) -> dict[str, Any]:
    return {
        "in_channels": layer.in_channels,
        "out_channels": layer.out_channels,
        "in_size": np.array([layer.in_size] * 2),
        "out_size": np.array([layer.out_size] * 2),
        "in_sampling_rate": float(layer.in_sampling_rate),
        "out_sampling_rate": np.float64(layer.out_sampling_rate),
        "tmp_sampling_rate": float(layer.inner_sampling_rate),
        "in_cutoff": layer.in_cutoff,
        "out_cutoff": None if layer.out_cutoff is None else np.float64(layer.out_cutoff),
        "in_half_width": layer.in_half_width,
        "out_half_width": layer.out_half_width,
        "conv_kernel": layer.conv_kernel,
        "conv_clamp": layer.conv_clamp,
        "is_torgb": layer.is_torgb,
        "is_critically_sampled": layer.is_critically_sampled,
        "down_radial": layer.down_radial,
        "up_factor": layer.up_factor,
        "down_factor": layer.down_factor,
        "up_taps": layer.up_taps,
        "down_taps": layer.down_taps,
        "padding": [*layer.padding, *layer.padding],
    }
