"""What published pickles say of StyleGAN2's, StyleGAN3's and StyleGAN-XL's modules."""

from typing import Any

import numpy as np
import torch
from checkpoint_files.persistence import Part, easy_dict
from torch import nn

from squeezespan.generators import stylegan2, stylegan3
from squeezespan.generators.layers import FullyConnected
from squeezespan.generators.stylegan2 import StyleGAN2Config
from squeezespan.generators.stylegan3.config import LayerConfig, StyleGAN3Config

_GAIN = np.sqrt(2)
_OF_LAYERS = ("conv_clamp", "use_noise", "activation", "resample_filter", "kernel_size")


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
        num_ws = {"num_ws": 2 * len(config.block_resolutions)}
        if not path:
            return Part("Generator", self._sizes() | self._image() | num_ws, self._arguments())
        if path == "mapping":
            beta = {"num_layers": config.mapping_layers, "w_avg_beta": config.w_avg_beta}
            arguments = self._sizes() | num_ws | self._mapping()
            return Part("MappingNetwork", self._sizes() | num_ws | beta, arguments)
        if path == "synthesis":
            sizes = {"w_dim": config.w_dim} | self._image()
            blocks = {"block_resolutions": config.block_resolutions, **num_ws}
            log2 = {"img_resolution_log2": config.resolution.bit_length() - 1}
            arguments = sizes | self._synthesis()
            return Part("SynthesisNetwork", sizes | blocks | log2 | {"num_fp16_res": 4}, arguments)
        if isinstance(module, FullyConnected):
            return fully_connected_part(path, module)
        if isinstance(module, stylegan2.SynthesisBlock):
            return self._block(module)
        assert isinstance(module.weight, torch.Tensor)
        outputs, inputs = module.weight.shape[:2]
        channels: dict[str, Any] = {"in_channels": inputs, "out_channels": outputs}
        size = int(path.split(".")[1][1:])
        style = channels | {"w_dim": config.w_dim}
        clamp = {"conv_clamp": config.conv_clamp}
        gain = {"weight_gain": 1 / np.sqrt(inputs)}
        if leaf == "torgb":
            made: dict[str, Any] = style | clamp | {"channels_last": False, "kernel_size": 1}
            return Part("ToRGBLayer", style | clamp | gain, made)
        curve = {"activation": "linear" if leaf == "skip" else "lrelu"}
        up = {"up": 1 if leaf == "conv1" else 2}
        if leaf == "skip":
            shared = channels | curve | up | {"conv_clamp": None, "down": 1}
            made = {"kernel_size": 1, "bias": False, "trainable": True, "channels_last": False}
            filtered = {"resample_filter": [1, 3, 3, 1]}
            rest = {"padding": 0, "act_gain": 1, "bias": None}
            return Part("Conv2dLayer", shared | gain | rest, shared | made | filtered)
        shared = style | clamp | curve | up | {"resolution": size, "use_noise": config.use_noise}
        made = {"kernel_size": 3, "channels_last": False, "resample_filter": [1, 3, 3, 1]}
        return Part("SynthesisLayer", shared | {"padding": 1, "act_gain": _GAIN}, shared | made)

    def _block(self, block: stylegan2.SynthesisBlock) -> Part:
        config, size = self.config, block.resolution
        shared = {
            "in_channels": 0 if size == 4 else config.block_channels(size // 2),
            "w_dim": config.w_dim,
            "resolution": size,
            "img_channels": config.channels,
            "is_last": size == config.resolution,
            "architecture": config.architecture,
            "use_fp16": False,
            "fused_modconv_default": True,
        }
        counts = {"num_conv": block.num_conv, "num_torgb": int(block.has_rgb)}
        rest = {name: x for name, x in self._synthesis().items() if name in _OF_LAYERS}
        made = {"out_channels": config.block_channels(size), "fp16_channels_last": False}
        return Part(
            "SynthesisBlock", shared | counts | {"channels_last": False}, shared | made | rest
        )

    def _sizes(self) -> dict[str, Any]:
        return {"z_dim": self.config.z_dim, "c_dim": self.config.num_classes} | {
            "w_dim": self.config.w_dim
        }

    def _image(self) -> dict[str, Any]:
        return {"img_resolution": self.config.resolution, "img_channels": self.config.channels}

    def _mapping(self) -> dict[str, Any]:
        return {
            "num_layers": self.config.mapping_layers,
            "embed_features": self.config.mapping_embed_width,
            "layer_features": self.config.mapping_width,
            "activation": "lrelu",
            "lr_multiplier": self.config.mapping_lr_multiplier,
            "w_avg_beta": self.config.w_avg_beta,
        }

    def _synthesis(self) -> dict[str, Any]:
        return {
            "channel_base": self.config.channel_base,
            "channel_max": self.config.channel_max,
            "num_fp16_res": 4,
            "conv_clamp": self.config.conv_clamp,
            "architecture": self.config.architecture,
            "use_noise": self.config.use_noise,
            "activation": "lrelu",
            "resample_filter": [1, 3, 3, 1],
            "kernel_size": 3,
            "fp16_channels_last": False,
            "fused_modconv_default": "inference_only",
        }

    def _arguments(self) -> dict[str, Any]:
        mapping = {"mapping_kwargs": easy_dict(self._mapping())}
        synthesis = self._synthesis()
        nested = synthesis if self.flat else {"synthesis_kwargs": easy_dict(synthesis)}
        return self._sizes() | self._image() | mapping | nested


def fully_connected_part(path: str, module: FullyConnected) -> Part:
    """Attributes and arguments of a linear layer."""
    outputs, inputs = module.weight.shape
    shared = {
        "in_features": inputs,
        "out_features": outputs,
        "activation": module.activation,
    }
    gains = {"weight_gain": np.float64(module.weight_gain), "bias_gain": module.bias_gain}
    made = {"bias": True, "bias_init": 0, "lr_multiplier": module.bias_gain, "weight_init": 1}
    return Part("FullyConnectedLayer", shared | gains, shared | made)


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
            return fully_connected_part(path, module)
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
