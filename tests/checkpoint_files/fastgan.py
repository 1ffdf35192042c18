"""Projected GAN's FastGAN as its snapshots hold it: ordinary objects with attributes as state."""

from collections.abc import Mapping
from typing import Any

import torch
from checkpoint_files.foreign import instance
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from squeezespan.generators.fastgan import FastGANConfig

_Tree = dict[str, Any]


def fastgan_module(state: Mapping[str, Tensor], config: FastGANConfig) -> Any:
    """Give a generator with these weights as an object of the published classes."""
    tree: _Tree = {}
    for name, tensor in state.items():
        *path, leaf = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = tensor
    generator = _module("", tree)
    generator.__dict__ |= {"z_dim": config.z_dim, "c_dim": config.num_classes} | {
        "w_dim": 0,
        "img_resolution": config.resolution,
        "img_channels": config.channels,
    }
    generator._modules["mapping"] = _object("pg_modules.networks_fastgan", "DummyMapping", {}, {})
    return generator


def _module(path: str, tree: _Tree) -> Any:
    leaf = path.rpartition(".")[2]
    tensors = {name: x for name, x in tree.items() if isinstance(x, Tensor)}
    if "weight_orig" in tensors:
        return _normed(path, tensors)
    if "running_mean" in tensors:
        norm = nn.BatchNorm2d(len(tensors["weight"]))
        norm.load_state_dict(tensors)
        return norm.eval()
    if leaf == "embed":
        table = tensors["weight"]
        return nn.Embedding(table.shape[0], table.shape[1], _weight=table)
    children = {
        name: _module(f"{path}.{name}" if path else name, x)
        for name, x in tree.items()
        if isinstance(x, dict)
    }
    return _object(*_class_of(path, tensors), children, tensors)


def _class_of(path: str, tensors: Mapping[str, Tensor]) -> tuple[str, str]:
    leaf = path.rpartition(".")[2]
    if path in ("", "synthesis"):
        return "pg_modules.networks_fastgan", "FastganSynthesis" if path else "Generator"
    if leaf in ("init", "main") and path.count(".") > 1:
        return "torch.nn.modules.container", "Sequential"
    if "stored_mean" in tensors:
        return "pg_modules.blocks", "CCBN"
    if leaf.startswith("feat_"):
        return "pg_modules.blocks", "UpBlockBigCond"
    if leaf.startswith("se_"):
        return "pg_modules.blocks", "SEBlock"
    return "pg_modules.blocks", "InitLayer" if leaf == "init" else "NoiseInjection"


def _object(
    module: str, name: str, children: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> Any:
    buffers = {key: x for key, x in tensors.items() if key.startswith("stored_")}
    parameters = {key: nn.Parameter(x) for key, x in tensors.items() if key not in buffers}
    state = nn.Module().eval().__dict__ | {
        "_parameters": parameters,
        "_buffers": buffers,
        "_modules": dict(children),
    }
    if module.startswith("torch."):
        sequential = nn.Sequential()
        sequential.__dict__.update(state)
        return sequential
    return instance(module, name, state)


def _normed(path: str, tensors: Mapping[str, Tensor]) -> nn.Module:
    """A layer under torch's own spectral norm, with its hooks."""
    weight, has_bias = tensors["weight_orig"], "bias" in tensors
    layer: nn.Module
    if weight.dim() == 2:
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=has_bias)
    elif path.endswith("init.init.0"):
        layer = nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, bias=has_bias)
    else:
        out_channels, in_channels, side, _ = weight.shape
        padding = int(side == 3)
        layer = nn.Conv2d(in_channels, out_channels, side, padding=padding, bias=has_bias)
    normed = spectral_norm(layer)
    normed.load_state_dict(dict(tensors))
    normed.weight = torch.zeros_like(weight)
    return normed.eval()
