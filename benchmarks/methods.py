"""Seconds of a training step of every small method, side by side, for comparisons at equal time.

    OMP_NUM_THREADS=1 python benchmarks/methods.py

What is timed is the loop of `squeezespan distill` itself, with the mini presets' settings, on the
package's images; the methods take turns. Where a target is measured before the first step, that
takes the seconds in the last column once. With `--reuse 4` each method that draws images is there a
second time, with every one of them in four steps.
"""

from dataclasses import replace
from pathlib import Path

import torch
from measure.program import run_program
from measure.report import Report, table
from measure.timing import spread, summarize

from squeezespan.config import DistillConfig
from squeezespan.distillation.prepare import prepare
from squeezespan.distillation.speed import measure_step, steps_to_measure
from squeezespan.hardware import resolve_device, resolve_precision
from squeezespan.presets import find_preset

METHODS = (
    "vicreg-real-mini",
    "vicreg-mixed-mini",
    "simsiam-real-mini",
    "squeeze-mini",
    "squeeze-span-mini",
    "squeeze-paper-mini",
    "squeeze-span-paper-mini",
)


def main(
    trials: int = 5,
    warmup: int = 1,
    json: Path | None = None,
    methods: tuple[str, ...] = METHODS,
    batch_size: int = 128,
    reuse: int = 1,
) -> None:
    """Print seconds of a step of each method, and as a share of the first one's.

    Args:
        trials: turns that count.
        warmup: turns before, that do not.
        json: file to write the results to.
        methods: presets, the first one the reference.
        batch_size: images of a step.
        reuse: steps that a generated image serves in, in the second row of a method.
    """
    device = resolve_device("auto")
    report = Report("methods", 0, str(device), json)
    runs = {}
    for name, config in _configs(methods, batch_size, reuse, device).items():
        with torch.random.fork_rng([]):
            runs[name] = config, prepare(config, device)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    before: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(warmup + trials):
        for name, (config, parts) in runs.items():
            speed = measure_step(config, parts)
            if number >= warmup:
                seconds[name].append(speed.step)
                before[name].append(speed.target)
    found = {name: summarize(values) for name, values in seconds.items()}
    target = {name: summarize(values) for name, values in before.items()}
    ratios = {name: found[name]["median"] / found[methods[0]]["median"] for name in runs}
    rows = [("method", "seconds a step", f"share of {methods[0]}", "seconds before")]
    for name in runs:
        measured = f"{target[name]['median']:.1f}" if target[name]["median"] else "0"
        rows.append((name, spread(found[name]), f"{ratios[name]:.2f}", measured))
    print(table(rows))
    settings = {
        "trials": trials,
        "warmup": warmup,
        "batch_size": batch_size,
        "reuse": reuse,
        "threads": torch.get_num_threads(),
        "precision": resolve_precision("auto", device),
    }
    results = {"seconds": found, "ratios": ratios, "seconds_before": target}
    report.save(settings, results)


def _configs(
    methods: tuple[str, ...], batch_size: int, reuse: int, device: torch.device
) -> dict[str, DistillConfig]:
    """The settings of each row."""
    steps = steps_to_measure(device.type)
    configs = {}
    for name in methods:
        config = find_preset(name).build()
        configs[name] = config = replace(
            config,
            train=replace(config.train, max_steps=steps, batch_size=batch_size, num_workers=0),
            monitor=replace(config.monitor, knn_every=0),
        )
        if reuse > 1 and config.method.alpha:
            again = replace(config, source=replace(config.source, reuse=reuse))
            configs[f"{name}, reuse {reuse}"] = again
    return configs


if __name__ == "__main__":
    run_program(main)
