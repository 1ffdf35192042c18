"""What published pickles say of the modules of StyleGAN2's discriminator."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from checkpoint_files.persistence import Part, easy_dict, persistent
from checkpoint_files.stylegan import fully_connected_part
from torch import nn

from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.discriminators.stylegan2.network import Conv
from squeezespan.generators.layers import FullyConnected

_FILTER = {"resample_filter": [1, 3, 3, 1]}


class MinibatchStd(nn.Module):
    """Stands for the layer without weights that ours does without."""


def pickled_discriminator(
    network: StyleGAN2Discriminator,
    change: Callable[[str, Part], Part] = lambda _, part: part,
) -> Any:
    """Give a discriminator as a published pickle has it.

    Args:
        network: ours.
        change: gives what the pickle says of the module of a dotted name.
    """
    whole = copy.deepcopy(network)
    if network.config.mbstd_channels:
        whole.b4.add_module("mbstd", MinibatchStd())
    parts = DiscriminatorParts(network.config)
    return persistent(whole, lambda path, module: change(path, parts(path, module)))


class DiscriminatorParts:
    """Attributes and arguments as stylegan2-ada-pytorch stores them.

    Args:
        config: of the discriminator.
    """

    def __init__(self, config: StyleGAN2DiscriminatorConfig) -> None:
        self.config = config
        self.cmap_dim = config.block_channels(4) if config.num_classes else 0

    def __call__(self, path: str, module: nn.Module) -> Part:
        config = self.config
        if not path:
            return self._whole()
        if path == "mapping":
            sizes = {"z_dim": 0, "c_dim": config.num_classes, "w_dim": self.cmap_dim}
            shared = sizes | {"num_ws": None, "w_avg_beta": None}
            shared["num_layers"] = config.mapping_layers
            return Part("MappingNetwork", shared, shared | self._mapping())
        if isinstance(module, FullyConnected):
            return fully_connected_part(path, module)
        if isinstance(module, MinibatchStd):
            return Part("MinibatchStdLayer", *[self._statistic()] * 2)
        if isinstance(module, Conv):
            return self._conv(path, module)
        images: dict[str, Any] = {
            "img_channels": config.channels,
            "architecture": config.architecture,
        }
        size = int(path[1:])
        if size == 4:
            shared = images | {"in_channels": config.block_channels(4), "cmap_dim": self.cmap_dim}
            shared |= {"resolution": 4}
            made = self._mbstd() | {"activation": "lrelu", "conv_clamp": config.conv_clamp}
            off = {} if config.mbstd_channels else {"mbstd": None}
            return Part("DiscriminatorEpilogue", shared | off, shared | made)
        width = config.block_channels(size)
        shared = images | {"in_channels": 0 if size == config.resolution else width}
        shared |= {"resolution": size, "first_layer_idx": 0, "use_fp16": False}
        made = {"tmp_channels": width, "out_channels": config.block_channels(size // 2)}
        made |= self._block() | {"conv_clamp": config.conv_clamp}
        own = {"channels_last": False, "num_layers": 4}
        return Part("DiscriminatorBlock", shared | own, shared | made)

    def _whole(self) -> Part:
        config = self.config
        shared = {"c_dim": config.num_classes, "img_resolution": config.resolution}
        shared |= {"img_channels": config.channels}
        attributes = {
            "img_resolution_log2": config.resolution.bit_length() - 1,
            "block_resolutions": config.block_resolutions[:0:-1],
        }
        arguments = {
            "architecture": config.architecture,
            "channel_base": config.channel_base,
            "channel_max": config.channel_max,
            "num_fp16_res": 4,
            "conv_clamp": config.conv_clamp,
            "cmap_dim": None,
            "block_kwargs": easy_dict(self._block()),
            "mapping_kwargs": easy_dict(self._mapping()),
            "epilogue_kwargs": easy_dict(self._mbstd() | {"activation": "lrelu"}),
        }
        return Part("Discriminator", shared | attributes, shared | arguments)

    def _conv(self, path: str, layer: Conv) -> Part:
        outputs, inputs, side, _ = layer.weight.shape
        is_skip = path.endswith(".skip")
        shared = {
            "in_channels": inputs,
            "out_channels": outputs,
            "activation": "linear" if is_skip else "lrelu",
            "up": 1,
            "down": 2 if layer.down else 1,
            "conv_clamp": layer.conv_clamp,
        }
        own: dict[str, Any] = {
            "padding": side // 2,
            "weight_gain": 1 / np.sqrt(inputs * side**2),
            "act_gain": 1 if is_skip else np.sqrt(2),
        }
        made = {"kernel_size": side, "bias": not is_skip, "channels_last": False} | _FILTER
        made |= {"trainable": True}
        return Part(
            "Conv2dLayer", shared | own | ({"bias": None} if is_skip else {}), shared | made
        )

    def _statistic(self) -> dict[str, Any]:
        config = self.config
        return {"group_size": config.mbstd_group_size, "num_channels": config.mbstd_channels}

    def _mbstd(self) -> dict[str, Any]:
        return {f"mbstd_{name}": value for name, value in self._statistic().items()}

    def _block(self) -> dict[str, Any]:
        return {"activation": "lrelu", "fp16_channels_last": False, "freeze_layers": 0} | _FILTER

    def _mapping(self) -> dict[str, Any]:
        widths = {"embed_features": None, "layer_features": None, "activation": "lrelu"}
        layers = {"num_layers": self.config.mapping_layers}
        return layers | widths | {"lr_multiplier": self.config.mapping_lr_multiplier}
