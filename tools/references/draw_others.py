"""As `draw.py`, for repositories whose files are state dicts or TensorFlow's.

    python tools/references/draw_others.py NAME REPOSITORY OUT

NAME is one of the keys of `DRAWERS`. TensorFlow's networks are written as TensorFlow pickles them,
with NumPy's numbers for variables without axes, and what they give is taken from the PyTorch
network that stylegan2-ada-pytorch's own `legacy.py` makes of the file.
"""

import ast
import importlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.nn.functional import one_hot

_draw = importlib.import_module("draw")
Folder: Any = _draw.Folder
maps_of, randomize = _draw.maps_of, _draw.randomize

_WIDTH = 24


def draw_rosinality(folder: Folder) -> None:
    """Networks of rosinality/stylegan2-pytorch, in pure torch on the CPU."""
    # Its operations are compiled for CUDA when they are imported, and not used on the CPU.
    with mock.patch("torch.utils.cpp_extension.load"):
        model = importlib.import_module("model")
    narrow = {"style_dim": 96, "n_mlp": 4, "channel_multiplier": 1}
    wide = {"style_dim": 64, "n_mlp": 8, "channel_multiplier": 2, "blur_kernel": [1, 2, 2, 1]}
    sizes: dict[str, dict[str, Any]] = {
        "32": {"size": 32, **narrow},
        "64": {"size": 64, **narrow},
        "128-wide-other-filter": {"size": 128, **wide},
    }
    for name, kwargs in sizes.items():
        network = model.Generator(**kwargs)
        randomize(network)
        network.eval()
        average = 0.2 * torch.randn(network.style_dim)
        state = {"g_ema": network.state_dict(), "latent_avg": average}
        torch.save(state, folder.file(f"{name}.pth"))
        z = torch.randn(2, network.style_dim)

        def run(truncation: float = 1.0) -> torch.Tensor:
            image: torch.Tensor = network(  # noqa: B023
                [z],  # noqa: B023
                truncation=truncation,
                truncation_latent=average[None],  # noqa: B023
                randomize_noise=False,
            )[0]
            return image

        image, maps = maps_of(network, run)
        w = network.style(z)[:, None].repeat(1, network.n_latent, 1)
        folder.save(name, maps, z=z, w=w, image=image, truncated=run(0.6))
    judge = model.Discriminator(64, channel_multiplier=1)
    randomize(judge.eval())
    # Random logits are differences of large numbers, of which little is left but their rounding.
    judge.final_linear[1].bias.fill_(1)
    torch.save({"d": judge.state_dict()}, folder.file("discriminator-64.pth"))
    images = torch.randn(4, 3, 64, 64) / 2
    logits, maps = maps_of(judge, lambda: judge(images))
    folder.save("discriminator-64", maps, input=images, logits=logits)


def draw_biggan(folder: Folder) -> None:
    """BigGAN of ajbrock/BigGAN-PyTorch."""
    networks = importlib.import_module("BigGAN")
    shared = {"G_shared": True, "shared_dim": 24, "hier": True, "dim_z": 60}
    common = {"SN_eps": 1e-8, "BN_eps": 1e-5, "G_init": "N02", "no_optim": True}
    sizes: dict[str, dict[str, Any]] = {
        "128-hierarchical": {"resolution": 128, **shared, "G_attn": "64"},
        "64-mybn": {"resolution": 64, "mybn": True, "G_shared": False, "G_attn": "0"},
        "32-plain": {"resolution": 32, "G_shared": False, "G_attn": "0"},
    }
    for name, kwargs in sizes.items():
        network = networks.Generator(G_ch=16, n_classes=7, **(common | kwargs))
        randomize(network)
        for _ in range(2):
            labels = torch.randint(7, (8,))
            network(torch.randn(8, network.dim_z), network.shared(labels))
        network.eval()
        torch.save(network.state_dict(), folder.file(f"{name}.pth"))
        z, labels = torch.randn(3, network.dim_z), torch.randint(7, (3,))
        image, maps = maps_of(network, lambda: network(z, network.shared(labels)))  # noqa: B023
        folder.save(name, maps, z=z, labels=labels, image=image)


def draw_dcgan(folder: Folder) -> None:
    """The generator of pytorch/examples, taken out of its script."""
    source = ast.parse(Path("dcgan/main.py").read_text(encoding="utf-8"))
    (definition,) = (
        x for x in source.body if isinstance(x, ast.ClassDef) and x.name == "Generator"
    )
    for channels in (1, 3):
        names: dict[str, Any] = {"nn": nn, "nz": 100, "ngf": 64, "nc": channels}
        code = compile(ast.Module([definition], []), "dcgan/main.py", "exec")
        exec(code, names)
        network = names["Generator"](ngpu=0)
        randomize(network)
        network.eval()
        name = f"{channels}-channels"
        torch.save(network.state_dict(), folder.file(f"{name}.pth"))
        z = torch.randn(3, 100)
        image, maps = maps_of(network, lambda: network(z[:, :, None, None]))  # noqa: B023
        folder.save(name, maps, z=z, image=image)


class _Network:
    """Stands for `dnnlib.tflib.network.Network` while a file is written."""


def draw_tensorflow(folder: Folder) -> None:
    """StyleGAN2's networks as TensorFlow pickles them; needs stylegan2-ada-pytorch."""
    module = ModuleType("dnnlib.tflib.network")
    _Network.__module__, _Network.__qualname__, _Network.__name__ = (
        module.__name__,
        *["Network"] * 2,
    )
    module.Network = _Network  # type: ignore[attr-defined]
    legacy = importlib.import_module("legacy")
    sizes: dict[str, dict[str, Any]] = {
        "32-skip": {"resolution": 32, "label_size": 0, "architecture": "skip"},
        "64-resnet-conditional": {"resolution": 64, "label_size": 5, "architecture": "resnet"},
        "16-orig": {"resolution": 16, "label_size": 0, "architecture": "orig"},
    }
    names = {"dnnlib.tflib": ModuleType("dnnlib.tflib"), "dnnlib.tflib.network": module}
    for name, kwargs in sizes.items():
        generator = _tensorflow_generator(**kwargs)
        judge = _instance("D", {"resolution": 4}, [("Output/bias", np.zeros(1, np.float32))])
        path = folder.file(f"{name}.pkl")
        with mock.patch.dict(sys.modules, names):
            path.write_bytes(pickle.dumps((generator, judge, generator), 3))
        with mock.patch.object(legacy, "convert_tf_discriminator", return_value=nn.Identity()):
            network = legacy.load_network_pkl(path.open("rb"))["G_ema"].eval()
        z = torch.randn(2, network.z_dim)
        labels = torch.randint(network.c_dim, (2,)) if network.c_dim else None
        c = torch.zeros(2, 0) if labels is None else one_hot(labels, network.c_dim).float()
        exact = {"noise_mode": "const", "force_fp32": True}
        w = network.mapping(z, c)
        image, maps = maps_of(network, lambda: network.synthesis(w, **exact))  # noqa: B023
        truncated = network.synthesis(network.mapping(z, c, truncation_psi=0.6), **exact)
        folder.save(name, maps, z=z, labels=labels, w=w, image=image, truncated=truncated)

    judging = {"resolution": 32, "label_size": 4, "fmap_base": 16384, "fmap_max": _WIDTH}
    judging |= {"mapping_layers": 2, "mapping_fmaps": _WIDTH}
    judge = _instance("D", judging, _judging_variables())
    with mock.patch.dict(sys.modules, names):
        folder.file("discriminator-32.pkl").write_bytes(pickle.dumps(judge, 3))
    network = legacy.convert_tf_discriminator(SimpleNamespace(**judge.__dict__))
    images, labels = torch.randn(4, 3, 32, 32) / 2, torch.randint(4, (4,))
    c = one_hot(labels, 4).float()
    logits, maps = maps_of(network, lambda: network(images, c, force_fp32=True))
    folder.save("discriminator-32", maps, input=images, labels=labels, logits=logits)


def _judging_variables() -> list[tuple[str, Any]]:
    shapes: list[tuple[str, tuple[int, ...]]] = [("32x32/FromRGB", (1, 1, 3, _WIDTH))]
    for size in (32, 16, 8):
        layers = {"Conv0": 3, "Conv1_down": 3, "Skip": 1}
        shapes += [(f"{size}x{size}/{x}", (k, k, _WIDTH, _WIDTH)) for x, k in layers.items()]
    shapes += [("4x4/Conv", (3, 3, _WIDTH + 1, _WIDTH)), ("4x4/Dense0", (16 * _WIDTH, _WIDTH))]
    shapes += [("LabelEmbed", (4, _WIDTH)), ("Output", (_WIDTH, _WIDTH))]
    shapes += [(f"Mapping{i}", (_WIDTH, _WIDTH)) for i in range(2)]
    drawn = np.random.default_rng(1)
    found = []
    for layer, shape in shapes:
        weight = drawn.standard_normal(shape).astype(np.float32)
        # Equalized layers of another multiplier are stored by so much larger.
        found.append((f"{layer}/weight", weight * (10 if "Mapping" in layer else 1)))
        if "Skip" not in layer:
            bias = drawn.standard_normal(shape[-1]).astype(np.float32) * 0.2
            found.append((f"{layer}/bias", bias))
    return found


def _instance(name: str, arguments: dict[str, Any], variables: Any, parts: Any = None) -> _Network:
    network = _Network()
    network.__dict__ = {
        "version": 4,
        "name": name,
        "static_kwargs": arguments,
        "components": parts or {},
        "build_module_src": "",
        "build_func_name": f"{name}_main",
        "variables": list(variables),
    }
    return network


def _tensorflow_generator(resolution: int, label_size: int, architecture: str) -> _Network:
    arguments = {
        "resolution": resolution,
        "num_channels": 3,
        "label_size": label_size,
        "architecture": architecture,
        "latent_size": 20,
        "dlatent_size": 28,
        "mapping_fmaps": 28,
        "label_fmaps": 28,
        "mapping_layers": 3,
        "fmap_base": 16384,
        "fmap_max": _WIDTH,
    }
    drawn = np.random.default_rng(0)

    def numbers(name: str, shape: tuple[int, ...]) -> tuple[str, Any]:
        values = drawn.standard_normal(shape).astype(np.float32)
        return name, values * 0.2 if len(shape) < 2 else values

    mapping = [numbers(*x) for x in _mapping_variables(label_size)]
    synthesis = [numbers(*x) for x in _synthesis_variables(resolution, architecture)]
    parts = {
        "mapping": _instance("mapping", arguments, mapping),
        "synthesis": _instance("synthesis", arguments, synthesis),
    }
    average = [numbers("dlatent_avg", (28,)), ("lod", np.float32(0))]
    return _instance("G", arguments, average, parts)


_Variables = Iterator[tuple[str, tuple[int, ...]]]


def _mapping_variables(label_size: int) -> _Variables:
    if label_size:
        yield from (("LabelEmbed/weight", (label_size, 28)), ("LabelEmbed/bias", (28,)))
    for layer in range(3):
        inputs = 28 if layer else 20 + 28 * bool(label_size)
        yield from ((f"Dense{layer}/weight", (inputs, 28)), (f"Dense{layer}/bias", (28,)))


def _synthesis_variables(resolution: int, architecture: str) -> _Variables:
    yield "4x4/Const/const", (1, _WIDTH, 4, 4)
    sizes = [2**i for i in range(2, resolution.bit_length())]
    for index in range(2 * len(sizes) - 1):
        side = 2 ** ((index + 5) // 2)
        yield f"noise{index}", (1, 1, side, side)
    for size in sizes:
        layers = ["Conv"] if size == 4 else ["Conv0_up", "Conv1"]
        for layer in layers:
            yield from _modulated(f"{size}x{size}/{layer}", 3, _WIDTH)
            yield f"{size}x{size}/{layer}/noise_strength", ()
        if architecture == "resnet" and size > 4:
            yield f"{size}x{size}/Skip/weight", (1, 1, _WIDTH, _WIDTH)
        if architecture == "skip" or size == resolution:
            yield from _modulated(f"{size}x{size}/ToRGB", 1, 3)


def _modulated(layer: str, kernel: int, channels: int) -> _Variables:
    yield f"{layer}/weight", (kernel, kernel, _WIDTH, channels)
    yield f"{layer}/bias", (channels,)
    yield f"{layer}/mod_weight", (28, _WIDTH)
    yield f"{layer}/mod_bias", (_WIDTH,)


DRAWERS: dict[str, Callable[[Folder], None]] = {
    "stylegan2-pytorch": draw_rosinality,
    "BigGAN-PyTorch": draw_biggan,
    "examples": draw_dcgan,
    "TensorFlow": draw_tensorflow,
}


@torch.no_grad()
def main() -> None:
    """Read the arguments and draw."""
    name, repository, out = sys.argv[1:]
    root = Path(repository).resolve()
    folder = Folder(Path(out).resolve() / name)
    os.chdir(root)
    sys.path.insert(0, str(root))
    torch.manual_seed(0)
    DRAWERS[name](folder)


if __name__ == "__main__":
    main()
