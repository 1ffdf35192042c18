"""Speed of the augmentation: ours, torchvision's on PIL in workers, torchvision's on batches.

    python benchmarks/augmentation.py

Random resized crop, flip, color jitter, grayscale and normalization (MoCo-v2 without its blur) on
32x32 images in memory. Ours and PIL draw for every image, torchvision's v2 once for a batch.

Measured on 2 cores of an AMD EPYC, torch 2.15.0, torchvision 0.29.2, medians of 5 passes over 2048
images in batches of 64: ours 31,000 images/s, PIL in workers 6,500, torchvision's v2 19,000.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from measure.program import run_program
from measure.report import Report, table
from measure.timing import spread, summarize, take_turns
from steps.pil_views import PilViews, TwoViews, loop
from steps.setting import NORMALIZATION, Setting
from torch import Tensor
from torchvision.transforms import v2

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.randomness import StepRandom
from squeezespan.runs.memory import keep_freed_memory

OURS = "ours, batched, drawn per image"
PIL = "torchvision on PIL in workers, drawn per image"
BATCH = "torchvision v2, batched, drawn once a batch"


def main(
    batch_sizes: tuple[int, ...] = (64, 256),
    images: int = 2048,
    trials: int = 5,
    warmup: int = 1,
    workers: int | None = None,
    device: str = "cpu",
    seed: int = 0,
    json: Path | None = None,
) -> None:
    """Print images a second of each, two views counted as two images.

    Args:
        batch_sizes: images at a time.
        images: in the set; every trial makes two views of about as many.
        trials: passes of each that count; they take turns.
        warmup: passes of each before.
        workers: processes for PIL; None is one a core.
        device: where ours and torchvision's v2 work; PIL is on the CPU.
        seed: of images and draws.
        json: file to write the results to.
    """
    report = Report("augmentation", seed, device, json)
    keep_freed_memory()
    torch.manual_seed(seed)
    setting = Setting(real_images=images, workers=workers, device=device, seed=seed)
    results: dict[str, Any] = {}
    for batch_size in batch_sizes:
        candidates = _candidates(setting, batch_size)
        seconds = take_turns(candidates, trials, warmup, torch.device(device))
        made = 2 * (images // batch_size) * batch_size
        results[str(batch_size)] = {
            name: summarize([made / s for s in values]) for name, values in seconds.items()
        }
    rows = [["images/s: median (min to max)", *(f"batch {size}" for size in results)]]
    for name in (OURS, PIL, BATCH):
        rows.append([name, *(spread(results[size][name], ".0f") for size in results)])
    print(table(rows))
    settings = {"images": images, "trials": trials, "warmup": warmup}
    report.save(settings, {"images_per_second": results})


def _candidates(setting: Setting, batch_size: int) -> dict[str, Callable[[], None]]:
    pixels = setting.pixels()
    on_device = pixels.to(setting.device)
    steps = len(pixels) // batch_size
    augment = Augment(AugmentConfig(), 32)
    batched = _torchvision_batched()
    loader = loop(TwoViews(pixels, PilViews(NORMALIZATION)), batch_size, setting.workers)

    def over_batches(view: Callable[[Tensor, int], Tensor]) -> None:
        for step in range(steps):
            batch = on_device[step * batch_size : (step + 1) * batch_size]
            view(batch, 2 * step)
            view(batch, 2 * step + 1)

    def ours(batch: Tensor, number: int) -> Tensor:
        return NORMALIZATION.normalize(augment(batch, StepRandom(setting.seed, number)))

    def in_workers() -> None:
        for _ in range(steps):
            next(loader)

    return {
        OURS: lambda: over_batches(ours),
        PIL: in_workers,
        BATCH: lambda: over_batches(lambda batch, _: batched(batch)),
    }


def _torchvision_batched() -> Callable[[Tensor], Tensor]:
    transform: Callable[[Tensor], Tensor] = v2.Compose(
        [
            v2.RandomResizedCrop(32, scale=(0.2, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            v2.RandomGrayscale(p=0.2),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(NORMALIZATION.mean, NORMALIZATION.std),
        ]
    )
    return transform


if __name__ == "__main__":
    run_program(main)
