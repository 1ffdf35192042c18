"""Fill a folder with networks of a reference repository, saved by it, and with what they give.

    python tools/references/draw.py NAME REPOSITORY OUT

NAME is one of the keys of `DRAWERS`, REPOSITORY a clone of it. It runs the repository's code with
random weights, on the CPU in float32, and needs what the repository imports (`pip install click
dill requests 'setuptools<70'` beside our own packages). For every network, OUT then holds the
checkpoint and NETWORK.npz with inputs, outputs and feature maps. `compare.py` reads them.
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

_RGB = {"img_channels": 3}
_DIFFAUGMENT = {
    "resolution": 32,
    "SN_eps": 1e-8,
    "BN_eps": 1e-5,
    "G_init": "N02",
    "G_attn": "0",
    "no_optim": True,
}


class Folder:
    """Where the networks go.

    Args:
        path: made if need be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True)

    def file(self, name: str) -> Path:
        """The path of a checkpoint."""
        return self._path / name

    def pickle(self, name: str, content: dict[str, Any], package: str = "pickle") -> None:
        """Write a checkpoint with `pickle` or `dill`, as the repository does."""
        with (self._path / f"{name}.pkl").open("wb") as file:
            importlib.import_module(package).dump(content, file)

    def save(self, name: str, maps: list[tuple[str, Tensor]], **vectors: Tensor | None) -> None:
        """Write inputs, outputs and maps."""
        arrays: dict[str, Any] = {key: x.numpy() for key, x in vectors.items() if x is not None}
        arrays |= {f"map{i:04d}|{module}": x.numpy() for i, (module, x) in enumerate(maps)}
        np.savez(self._path / f"{name}.npz", **arrays)
        print(name, flush=True)


def randomize(network: nn.Module) -> None:
    """Give every parameter and statistic a value that matters, and no network the same."""
    for parameter in network.parameters():
        noise = torch.randn(parameter.shape)
        if parameter.ndim <= 1:
            parameter.add_(0.2 * noise)
        else:
            parameter.mul_(1 + 0.1 * noise)
    for name, buffer in network.named_buffers():
        kind = name.rpartition(".")[2]
        if kind in ("w_avg", "running_mean", "stored_mean"):
            buffer.copy_(0.2 * torch.randn(buffer.shape))
        elif kind in ("running_var", "stored_var", "magnitude_ema"):
            buffer.copy_(0.5 + torch.rand(buffer.shape))


def maps_of(network: nn.Module, run: Callable[[], Tensor]) -> tuple[Tensor, list[Any]]:
    """Run it and keep every map or vector that a module gives, in order."""
    maps: list[tuple[str, Tensor]] = []

    def keep(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, given: Any, result: Any) -> None:
            for x in result if isinstance(result, tuple) else (result,):
                if torch.is_tensor(x) and x.ndim in (2, 4) and "torgb" not in name:
                    maps.append((name, x.float().clone()))

        return hook

    handles = [m.register_forward_hook(keep(name)) for name, m in network.named_modules()]
    result = run()
    for handle in handles:
        handle.remove()
    return result, maps


def draw_mapped(
    folder: Folder,
    name: str,
    network: Any,
    *,
    discriminator: nn.Module | None = None,
    package: str = "pickle",
    **synthesis: Any,
) -> None:
    """One with a mapping network."""
    randomize(network)
    network.eval()
    folder.pickle(
        name,
        {
            "training_set_kwargs": {"class_name": "training.dataset.ImageFolderDataset"},
            "G": network,
            "D": discriminator,
            "G_ema": network,
            "augment_pipe": None,
        },
        package,
    )
    z = torch.randn(2, network.z_dim)
    labels = torch.randint(network.c_dim, (2,)) if network.c_dim else None
    c = torch.zeros(2, 0) if labels is None else one_hot(labels, network.c_dim).float()
    w = network.mapping(z, c)
    image, maps = maps_of(network, lambda: network.synthesis(w, **synthesis))
    truncated = network.synthesis(network.mapping(z, c, truncation_psi=0.6), **synthesis)
    folder.save(name, maps, z=z, labels=labels, w=w, image=image, truncated=truncated)


def draw_stylegan2_ada(folder: Folder) -> None:
    """Generators and discriminators of NVlabs/stylegan2-ada-pytorch."""
    networks = importlib.import_module("training.networks")
    exact: dict[str, Any] = {"noise_mode": "const", "force_fp32": True}
    cifar = {
        "z_dim": 512,
        "w_dim": 512,
        "img_resolution": 32,
        "mapping_kwargs": {"num_layers": 2},
        "synthesis_kwargs": {"channel_base": 32768, "num_fp16_res": 4, "conv_clamp": 256},
    }
    half = {"channel_base": 8192, "channel_max": 256, "num_fp16_res": 4, "conv_clamp": 256}
    wide = cifar | {"synthesis_kwargs": half}
    odd = {"num_layers": 5, "embed_features": 12, "layer_features": 28}
    sizes: dict[str, dict[str, Any]] = {
        "cifar-unconditional": cifar | {"c_dim": 0},
        "cifar-conditional": cifar | {"c_dim": 10},
        "imagenet128-conditional": wide | {"c_dim": 1000, "img_resolution": 128},
        "256-8-layers": wide | {"c_dim": 0, "img_resolution": 256, "mapping_kwargs": {}},
        "16-odd-widths": wide | {"c_dim": 3, "z_dim": 20, "w_dim": 24, "mapping_kwargs": odd},
    }
    for name, kwargs in sizes.items():
        beside = networks.Discriminator(
            c_dim=kwargs["c_dim"],
            img_resolution=kwargs["img_resolution"],
            channel_base=1024,
            channel_max=64,
            **_RGB,
        )
        network = networks.Generator(**_RGB, **kwargs)
        draw_mapped(folder, name, network, discriminator=beside, **exact)
    plain = {"c_dim": 0, "img_resolution": 64, "channel_base": 2048, "channel_max": 96}
    labelled = {"c_dim": 10, "img_resolution": 32, "architecture": "orig", "conv_clamp": 256}
    for name, layers, kwargs in (
        ("discriminator-64", 8, plain),
        ("discriminator-32-conditional", 8, labelled),
        ("discriminator-32-conditional-0-layers", 0, labelled),
    ):
        mapping = {"num_layers": layers}
        judge = networks.Discriminator(**_RGB, **kwargs, mapping_kwargs=mapping)
        randomize(judge.eval())
        folder.pickle(name, {"G": None, "D": judge, "G_ema": None, "augment_pipe": None})
        image = torch.randn(4, 3, judge.img_resolution, judge.img_resolution) / 2
        labels = torch.randint(10, (4,)) if judge.c_dim else None
        c = torch.zeros(4, 0) if labels is None else one_hot(labels, 10).float()
        logits, maps = maps_of(judge, lambda: judge(image, c, force_fp32=True))  # noqa: B023
        folder.save(name, maps, input=image, labels=labels, logits=logits)


def draw_stylegan3(folder: Folder) -> None:
    """Generators of NVlabs/stylegan3."""
    networks = importlib.import_module("training.networks_stylegan3")
    narrow = {"channel_base": 2048, "channel_max": 64}
    rotating = {"conv_kernel": 1, "use_radial_filters": True}
    sizes: dict[str, dict[str, Any]] = {
        "t-128": {"c_dim": 0, "img_resolution": 128},
        "t-32-conditional": {"c_dim": 7, "img_resolution": 32, "num_layers": 9},
        "r-64": {"c_dim": 0, "img_resolution": 64, **rotating},
        "r-32-conditional": {"c_dim": 4, "img_resolution": 32, **rotating},
    }
    for name, kwargs in sizes.items():
        network = networks.Generator(z_dim=64, w_dim=96, **narrow, **_RGB, **kwargs)
        draw_mapped(folder, name, network)
    older = importlib.import_module("training.networks_stylegan2")
    network = older.Generator(
        z_dim=96, w_dim=80, c_dim=6, img_resolution=64, **_RGB, mapping_kwargs={"num_layers": 2}
    )
    draw_mapped(folder, "stylegan2-64-conditional", network, noise_mode="const")


def draw_stylegan_xl(folder: Folder) -> None:
    """Stems and superresolution of autonomousvision/stylegan-xl."""
    networks = importlib.import_module("training.networks_stylegan3_resetting")
    common: dict[str, Any] = {"channel_base": 1024, "channel_max": 48, "w_dim": 96, **_RGB}
    common["mapping_kwargs"] = {"rand_embedding": True, "num_layers": 2}
    plain = {"conv_kernel": 3, "use_radial_filters": False, "num_layers": 10}
    rotating = {"conv_kernel": 1, "use_radial_filters": True, "num_layers": 9}
    for name, kwargs in (
        ("stem-32-conditional", {"c_dim": 25, "z_dim": 64, "img_resolution": 32, **plain}),
        ("stem-16-unconditional", {"c_dim": 0, "z_dim": 40, "img_resolution": 16, **plain}),
        ("stem-16-r-conditional", {"c_dim": 5, "z_dim": 40, "img_resolution": 16, **rotating}),
    ):
        draw_mapped(folder, name, networks.Generator(**common, **kwargs), package="dill")
    stem = "stem-32-conditional"
    for resolution in (64, 128):
        network = networks.SuperresGenerator(
            img_resolution=resolution,
            path_stem=str(folder.file(f"{stem}.pkl")),
            head_layers=5,
            up_factor=2,
        )
        stem = f"superresolution-{resolution}"
        draw_mapped(folder, stem, network, package="dill")


def draw_projected_gan(folder: Folder) -> None:
    """FastGAN and StyleGAN2 of autonomousvision/projected-gan."""
    fastgan = importlib.import_module("pg_modules.networks_fastgan")
    stylegan2 = importlib.import_module("pg_modules.networks_stylegan2")
    network = stylegan2.Generator(
        z_dim=64, c_dim=0, w_dim=128, img_resolution=64, **_RGB, mapping_kwargs={"num_layers": 2}
    )
    draw_mapped(folder, "stylegan2-64", network, package="dill", noise_mode="const")
    sizes: dict[str, dict[str, Any]] = {
        "fastgan-256": {"img_resolution": 256, "ngf": 16},
        "fastgan-256-lite": {"img_resolution": 256, "ngf": 16, "synthesis_kwargs": {"lite": True}},
        "fastgan-256-conditional": {"img_resolution": 256, "ngf": 16, "c_dim": 12, "cond": 1},
        "fastgan-512": {"img_resolution": 512, "ngf": 8, "z_dim": 64},
        "fastgan-128-grey": {"img_resolution": 128, "ngf": 24, "z_dim": 100, "img_channels": 1},
        "fastgan-128-conditional-lite": {
            "img_resolution": 128,
            "ngf": 16,
            "c_dim": 5,
            "cond": 1,
            "synthesis_kwargs": {"lite": True},
        },
    }
    for name, kwargs in sizes.items():
        network = fastgan.Generator(**kwargs)
        randomize(network)
        classes = network.c_dim
        for _ in range(25):
            # The spectral norms' vectors and the batch norms' statistics follow the weights.
            drawn = torch.randint(classes or 1, (4,))
            network(torch.randn(4, network.z_dim), one_hot(drawn, classes or 1).float())
        network.eval()
        folder.pickle(name, {"G": network, "D": None, "G_ema": network}, "dill")
        for module in network.modules():
            if type(module).__name__ == "NoiseInjection":
                module.forward = lambda feat, noise=None: feat
        z, labels = torch.randn(2, network.z_dim), torch.randint(classes or 1, (2,))
        c = one_hot(labels, classes or 1).float()
        image, maps = maps_of(network, lambda: network(z, c))  # noqa: B023
        folder.save(name, maps, z=z, labels=labels if classes else None, image=image)


def draw_biggan(folder: Folder) -> None:
    """BigGAN of mit-han-lab/data-efficient-gans, in its folder DiffAugment-biggan-cifar."""
    networks = importlib.import_module("BigGAN")
    hierarchical = {"G_shared": True, "shared_dim": 24, "hier": True, "dim_z": 60}
    sizes: dict[str, dict[str, Any]] = {
        "cifar10": {"n_classes": 10, "G_ch": 64},
        "cifar100-narrow": {"n_classes": 100, "G_ch": 24},
        "attention": {"n_classes": 7, "G_ch": 16, **hierarchical, "G_attn": "16"},
    }
    for name, kwargs in sizes.items():
        network = networks.Generator(**(_DIFFAUGMENT | kwargs))
        randomize(network)
        classes = kwargs["n_classes"]
        for _ in range(2):
            drawn = torch.randint(classes, (8,))
            network(torch.randn(8, network.dim_z), network.shared(drawn))
        network.eval()
        torch.save(network.state_dict(), folder.file(f"{name}.pth"))
        z, labels = torch.randn(3, network.dim_z), torch.randint(classes, (3,))
        image, maps = maps_of(network, lambda: network(z, network.shared(labels)))  # noqa: B023
        folder.save(name, maps, z=z, labels=labels, image=image)


def draw_autogan(folder: Folder) -> None:
    """The three CIFAR-10 generators of VITA-Group/AutoGAN, and its super-network."""
    for variant in "abc":
        networks = importlib.import_module(f"models.autogan_cifar10_{variant}")
        for width, bottom in ((256, 4), (40, 6)):
            sizes = SimpleNamespace(gf_dim=width, bottom_width=bottom, latent_dim=128)
            network = networks.Generator(sizes)
            randomize(network.eval())
            name = f"{variant}-{8 * bottom}-width-{width}"
            state = {"gen_model": f"autogan_cifar10_{variant}", "epoch": 1}
            state |= {"avg_gen_state_dict": network.state_dict()}
            torch.save(state, folder.file(f"{name}.pth"))
            z = torch.randn(3, 128)
            image, maps = maps_of(network, lambda: network(z))  # noqa: B023
            folder.save(name, maps, z=z, image=image)
    draw_searched(folder)


def draw_searched(folder: Folder) -> None:
    """AutoGAN's super-network under genotypes that use every kind of its layers."""
    search = importlib.import_module("models_search.shared_gan")
    for name, genotype in {
        "bilinear": (1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 2, 0, 0, 1),
        "nearest": (0, 1, 1, 1, 0, 2, 1, 0, 1, 0, 0, 1, 1, 2),
        "deconv": (0, 2, 2, 1, 1, 1, 2, 1, 1, 0, 1, 2, 1, 3),
    }.items():
        sizes = SimpleNamespace(gf_dim=24, bottom_width=4, latent_dim=100)
        network = search.Generator(sizes)
        network.set_arch(list(genotype), cur_stage=2)
        randomize(network.eval())
        state = {"gen_model": "shared_gan", "avg_gen_state_dict": network.state_dict()}
        torch.save(state, folder.file(f"searched-{name}.pth"))
        z = torch.randn(3, 100)
        image, maps = maps_of(network, lambda: network(z))  # noqa: B023
        numbers = torch.tensor(genotype)
        folder.save(f"searched-{name}", maps, z=z, image=image, genotype=numbers)


DRAWERS: dict[str, Callable[[Folder], None]] = {
    "stylegan2-ada-pytorch": draw_stylegan2_ada,
    "stylegan3": draw_stylegan3,
    "stylegan-xl": draw_stylegan_xl,
    "projected-gan": draw_projected_gan,
    "data-efficient-gans": draw_biggan,
    "AutoGAN": draw_autogan,
}


@torch.no_grad()
def main() -> None:
    """Read the arguments and draw."""
    name, repository, out = sys.argv[1:]
    root = Path(repository).resolve()
    folder = Folder(Path(out).resolve() / name)
    if name == "data-efficient-gans":
        root /= "DiffAugment-biggan-cifar"
    # They open files beside them, and import each other, by relative names.
    os.chdir(root)
    sys.path.insert(0, str(root))
    torch.manual_seed(0)
    DRAWERS[name](folder)


if __name__ == "__main__":
    main()
