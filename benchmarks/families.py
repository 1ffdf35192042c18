"""Speed of every family of generators in float32 and bf16, and what bf16 does to its features.

    python benchmarks/families.py

Random weights in the published sizes for 32x32 CIFAR where a family has such (FastGAN begins at
64x64), all channels-last. bf16 is left out where the machine does not compute in it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measure.program import run_program
from measure.report import Report, table
from measure.rounding import block_errors, error_rows, native_dtypes
from measure.timing import spread, summarize, take_turns
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators import Generated, Generator, Latents
from squeezespan.generators.autogan import AutoGANConfig, AutoGANGenerator
from squeezespan.generators.biggan import BigGANConfig, BigGANGenerator
from squeezespan.generators.dcgan import DCGANConfig, DCGANGenerator
from squeezespan.generators.fastgan import FastGANConfig, FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator
from squeezespan.generators.stylegan3.config import Ladder, StyleGAN3Config, design_layers
from squeezespan.generators.stylegan_xl import StyleGANXLGenerator, xl_config
from squeezespan.randomness import StepRandom
from squeezespan.runs.memory import keep_freed_memory


def stylegan3(width: int, *, rotates: bool = False) -> StyleGAN3Config:
    """Config T or R at 32x32; R is published with twice the channels of T."""
    ladder = Ladder(
        resolution=32,
        channel_base=64 * width,
        channel_max=width * (2 if rotates else 1),
        conv_kernel=1 if rotates else 3,
        use_radial_filters=rotates,
    )
    return StyleGAN3Config(resolution=32, layers=design_layers(ladder))


FAMILIES: dict[str, Callable[[int], Generator]] = {
    "stylegan2": lambda width: StyleGAN2Generator(
        StyleGAN2Config(channel_base=64 * width, channel_max=width, mapping_layers=2)
    ),
    "stylegan3-t": lambda width: StyleGAN3Generator(stylegan3(width)),
    "stylegan3-r": lambda width: StyleGAN3Generator(stylegan3(width, rotates=True)),
    "stylegan-xl": lambda width: StyleGANXLGenerator(xl_config(stylegan3(width))),
    "fastgan-64": lambda width: FastGANGenerator(
        FastGANConfig(resolution=64, base_width=max(width // 4, 8))
    ),
    "biggan": lambda width: BigGANGenerator(BigGANConfig(num_classes=10, widths=(width // 2,) * 4)),
    "autogan": lambda width: AutoGANGenerator(AutoGANConfig(width=width // 2)),
    "dcgan": lambda width: DCGANGenerator(
        DCGANConfig(
            widths=(width // 2, width // 4, width // 8),
            kernels=(4,) * 4,
            strides=(1, 2, 2, 2),
            paddings=(0, 1, 1, 1),
            output_paddings=(0,) * 4,
            conv_names=("main.0", "main.3", "main.6", "main.9"),
            norm_names=("main.1", "main.4", "main.7"),
            biases=(False,) * 4,
        )
    ),
}
"""Name to a function from the width of StyleGAN2, 512 as published, to a generator."""


def main(
    families: tuple[str, ...] = tuple(FAMILIES),
    width: int = 512,
    batch_size: int = 4,
    trials: int = 3,
    warmup: int = 1,
    device: str = "cpu",
    seed: int = 0,
    json: Path | None = None,
) -> None:
    """Print images a second of every family, and the errors of bf16 by block.

    Args:
        families: which of them.
        width: channels of StyleGAN2's blocks; the other families' follow in proportion.
        batch_size: images at a time.
        trials: batches of each precision that count; they take turns.
        warmup: batches of each before.
        device: cpu, cuda or cuda:N.
        seed: of weights and latents.
        json: file to write the results to.
    """
    for name in families:
        if name not in FAMILIES:
            raise UserError(f"there is no family {name}; there are {', '.join(FAMILIES)}")
    report = Report("families", seed, device, json)
    keep_freed_memory()
    dtypes = native_dtypes(device)
    results: dict[str, Any] = {"images_per_second": {}, "bf16_errors": {}}
    for name in families:
        networks = {key: _build(name, width, seed, device, x) for key, x in dtypes.items()}
        plain = networks["fp32"]
        random = StepRandom(seed, stream="latents", device=device)
        latents = plain.sample_latents(batch_size, random)
        candidates: dict[str, Callable[[], Any]] = {
            key: partial(_run, network, latents) for key, network in networks.items()
        }
        seconds = take_turns(candidates, trials, warmup, torch.device(device))
        results["images_per_second"][name] = {
            key: summarize([batch_size / s for s in values]) for key, values in seconds.items()
        }
        if "bf16" in networks:
            rounded, reference = (_run(networks[key], latents) for key in ("bf16", "fp32"))
            results["bf16_errors"][name] = block_errors(rounded, reference)
    _print(results)
    settings = {"width": width, "batch_size": batch_size, "trials": trials, "warmup": warmup}
    report.save(settings, results)


def _build(name: str, width: int, seed: int, device: str, dtype: torch.dtype) -> Generator:
    torch.manual_seed(seed)
    generator = FAMILIES[name](width).freeze()
    _settle(generator)
    generator.to(device).to(memory_format=torch.channels_last)
    generator.set_compute_dtype(dtype)
    return generator


def _settle(generator: Generator) -> None:
    """Let stored singular vectors fit the weights, as training leaves them."""
    for module in generator.modules():
        weight = getattr(module, "weight_orig", None)
        if isinstance(weight, Tensor):
            u, v = module.get_buffer("weight_u"), module.get_buffer("weight_v")
            # A transposed convolution's outputs are along the second axis.
            matrix = weight if len(weight) == len(u) else weight.transpose(0, 1)
            matrix = matrix.reshape(len(u), -1)
            for _ in range(5):
                v.copy_(torch.nn.functional.normalize(matrix.t() @ u, dim=0))
                u.copy_(torch.nn.functional.normalize(matrix @ v, dim=0))


@torch.no_grad()
def _run(generator: Generator, latents: Latents) -> Generated:
    generated: Generated = generator(latents, noise="const")
    return generated


def _print(results: dict[str, Any]) -> None:
    speeds = results["images_per_second"]
    precisions = list(next(iter(speeds.values())))
    rows = [["images/s: median (min to max)", *precisions]]
    rows += [[name, *(spread(x[key], ".1f") for key in precisions)] for name, x in speeds.items()]
    print(table(rows))
    for name, errors in results["bf16_errors"].items():
        rows = error_rows(f"{name}: bf16's error, share of the spread", errors)
        print(f"\n{table(rows)}")


if __name__ == "__main__":
    run_program(main)
