"""Speed of our StyleGAN2's synthesis, and what half precision does to its features.

    python benchmarks/generator.py

Dense modulated convolution in float32 and bf16, contiguous and channels-last, and the grouped form
in float32, all at 32x32 pixels, and with memory kept between runs. bf16 is left out where the
machine does not compute in it.

Measured on 2 cores of an AMD EPYC (AVX-512 BF16, no AMX), torch 2.14.1, seed 0, 2026-11-25,
medians of 5 batches of 32 images with 512 channels: grouped 25 images/s, dense float32 57, dense
bf16 130.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from measure.program import run_program
from measure.report import Report, table
from measure.rounding import BlockErrors, block_errors, error_rows, native_dtypes
from measure.timing import spread, summarize, take_turns
from steps.grouped_stylegan2 import GroupedStyleGAN2
from steps.setting import Setting

from squeezespan.generators.base import Generated, Latents
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.randomness import StepRandom
from squeezespan.runs.memory import keep_freed_memory

GROUPED = "grouped, fp32, contiguous"


@dataclass(frozen=True)
class Dense:
    """Our generator in one precision and memory format."""

    dtype: torch.dtype
    memory_format: torch.memory_format

    @property
    def name(self) -> str:
        """As the table shows it."""
        precision = "bf16" if self.dtype == torch.bfloat16 else "fp32"
        channels_last = self.memory_format == torch.channels_last
        return f"dense, {precision}, {'channels-last' if channels_last else 'contiguous'}"

    def build(self, setting: Setting) -> StyleGAN2Generator:
        """Give the generator."""
        generator = setting.generator().to(memory_format=self.memory_format)
        generator.set_compute_dtype(self.dtype)
        return generator


def main(
    widths: tuple[int, ...] = (128, 256, 512),
    batch_size: int = 32,
    trials: int = 5,
    warmup: int = 1,
    device: str = "cpu",
    seed: int = 0,
    json: Path | None = None,
) -> None:
    """Print images a second of every form and width, and the errors of bf16 by block.

    Args:
        widths: channels of every block.
        batch_size: images at a time.
        trials: batches of each form that count; they take turns.
        warmup: batches of each before.
        device: cpu, cuda or cuda:N.
        seed: of weights, latents and noise.
        json: file to write the results to.
    """
    report = Report("generator", seed, device, json)
    keep_freed_memory()
    dtypes = native_dtypes(device)
    forms = [
        Dense(d, f) for d in dtypes.values() for f in (torch.contiguous_format, torch.channels_last)
    ]
    results: dict[str, Any] = {"images_per_second": {}, "bf16_errors": {}}
    for width in widths:
        setting = Setting(width=width, device=device, seed=seed)
        seconds = _time(setting, forms, batch_size, trials, warmup)
        results["images_per_second"][str(width)] = {
            name: summarize([batch_size / s for s in values]) for name, values in seconds.items()
        }
        if "bf16" in dtypes:
            results["bf16_errors"][str(width)] = _errors(setting, batch_size)
    _print(results)
    settings = {"batch_size": batch_size, "trials": trials, "warmup": warmup}
    report.save(settings, results)


def _time(
    setting: Setting, forms: list[Dense], batch_size: int, trials: int, warmup: int
) -> dict[str, list[float]]:
    plain = setting.generator()
    latents = plain.sample_latents(batch_size, _random(setting, "latents"))
    grouped = GroupedStyleGAN2(plain)
    candidates: dict[str, Any] = {GROUPED: lambda: grouped(latents, _random(setting, "noise"))}
    for form in forms:
        generator = form.build(setting)
        candidates[form.name] = lambda generator=generator: _run(generator, latents, setting)
    return take_turns(candidates, trials, warmup, torch.device(setting.device))


def _errors(setting: Setting, batch_size: int) -> BlockErrors:
    rounded, exact = (
        Dense(dtype, torch.channels_last).build(setting)
        for dtype in (torch.bfloat16, torch.float32)
    )
    latents = exact.sample_latents(batch_size, _random(setting, "latents"))
    ours, reference = (_run(network, latents, setting) for network in (rounded, exact))
    return block_errors(ours, reference)


@torch.no_grad()
def _run(generator: StyleGAN2Generator, latents: Latents, setting: Setting) -> Generated:
    generated: Generated = generator(latents, noise="random", random=_random(setting, "noise"))
    return generated


def _random(setting: Setting, stream: str) -> StepRandom:
    return StepRandom(setting.seed, stream=stream, device=setting.device)


def _print(results: dict[str, Any]) -> None:
    by_width = results["images_per_second"]
    forms = list(next(iter(by_width.values())))
    rows = [["images/s: median (min to max)", *(f"{width} channels" for width in by_width)]]
    rows += [[form, *(spread(by_width[w][form], ".1f") for w in by_width)] for form in forms]
    print(table(rows))
    for width, errors in results["bf16_errors"].items():
        rows = error_rows("bf16's error, share of the spread", errors, f", {width} channels")
        print(f"\n{table(rows)}")


if __name__ == "__main__":
    run_program(main)
