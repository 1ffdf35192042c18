"""Speed of one squeeze-and-span training step, and of the same step written the plain way.

    python benchmarks/training_step.py

Ours is the step of `squeezespan distill`: dense modulated convolution, channels-last, bf16 where
the machine computes in it, batched augmentation, memory kept between steps. Plain is the same
step with the grouped modulated convolution, in float32, contiguous, with augmentation by PIL one
image at a time in a data loader's workers. Student, squeeze module, losses and optimizer are the
same code. A third row is the plain step with memory kept as ours keeps it.

Measured on 2 cores of an AMD EPYC (AVX-512 BF16, no AMX), torch 2.14.1, seed 0, 2026-11-25,
medians of 15 steps each (`--trials 15`): ours 0.70 s, plain 5.71 s (8.1 times as long), plain with
memory kept 1.95 s (2.8 times).
"""

import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
from cyclopts import Parameter
from measure.program import run_program
from measure.report import Report, table
from measure.timing import Clock, spread, summarize
from measure.worker import Worker
from steps.ours import OurStep
from steps.plain import PlainStep
from steps.same import TOLERANCE, differences
from steps.setting import PARTS, Setting

from squeezespan.losses.vicreg import covariance, invariance, variance

OURS, PLAIN, PLAIN_KEPT = "ours", "plain", "plain, memory kept"

PAUSE = 0.5
"""Seconds between two steps; the workers need about 0.05 for a batch."""


def main(
    trials: int = 5,
    warmup: int = 2,
    json: Path | None = None,
    setting: Annotated[Setting, Parameter(name="*")] = Setting(),  # noqa: B008
) -> None:
    """Print seconds and images a second of both steps, their ratio, and the parts.

    Args:
        trials: steps of each that count; they take turns.
        warmup: steps of each before.
        json: file to write the results to.
        setting: sizes of the step.
    """
    report = Report("training_step", setting.seed, setting.device, json)
    same = differences(setting)
    print("largest difference in float32: ", end="")
    print(", ".join(f"{name} {value:.1e}" for name, value in same.items()), "\n")
    if max(same.values()) > TOLERANCE:
        sys.exit(f"the two steps are not the same: they differ by more than {TOLERANCE}")
    seconds = _measure(setting, trials, warmup)
    results = _results(setting, seconds) | {"differences": same}
    results["losses_seconds"] = summarize(_time_losses(setting, trials))
    _print(results)
    report.save(asdict(setting) | {"trials": trials, "warmup": warmup}, results)


def _measure(setting: Setting, trials: int, warmup: int) -> dict[str, list[dict[str, float]]]:
    """Seconds of the parts of every step; each kind of step has a process of its own."""
    measured: dict[str, list[dict[str, float]]] = {OURS: [], PLAIN: [], PLAIN_KEPT: []}
    with ExitStack() as stack:
        workers = {
            OURS: stack.enter_context(Worker(OurStep, setting)),
            PLAIN: stack.enter_context(Worker(PlainStep, setting)),
            PLAIN_KEPT: stack.enter_context(Worker(PlainStep, setting, True)),
        }
        for number in range(warmup + trials):
            for name, worker in workers.items():
                parts = worker.run()
                # A loader's workers fetch ahead after the step; not in the next candidate's time.
                time.sleep(PAUSE)
                if number >= warmup:
                    measured[name].append(parts)
    return measured


def _results(setting: Setting, measured: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    totals = {name: [sum(parts.values()) for parts in steps] for name, steps in measured.items()}
    ratios = {
        name: summarize([a / b for a, b in zip(totals[name], totals[OURS], strict=True)])
        for name in (PLAIN, PLAIN_KEPT)
    }
    return {
        "steps": {
            name: {
                "seconds": summarize(totals[name]),
                "images_per_second": summarize([setting.batch_size / s for s in totals[name]]),
                "parts": {p: statistics.median(step[p] for step in measured[name]) for p in PARTS},
                "trials": totals[name],
            }
            for name in measured
        },
        "ratio_to_ours": ratios,
    }


def _time_losses(setting: Setting, trials: int) -> list[float]:
    """Seconds of all loss terms of a step and their gradients, for given embeddings."""
    shape = (setting.batch_size // 2, setting.embed_dim)
    z = [torch.randn(shape, device=setting.device, requires_grad=True) for _ in range(4)]
    seconds = []
    clock = Clock(torch.device(setting.device))
    for _ in range(trials + 1):
        clock.look()
        spread_terms = sum(25 * variance(x) + covariance(x) for x in z[:3])
        loss = 25 * invariance(z[0], z[3]) + 25 * invariance(z[1], z[2]) + spread_terms
        torch.autograd.backward(loss)
        seconds.append(clock.look())
    return seconds[1:]


def _print(results: dict[str, Any]) -> None:
    steps = results["steps"]
    rows = [["step", "seconds: median (min to max)", "images/s", "plain to ours", *PARTS]]
    for name, step in steps.items():
        ratio = results["ratio_to_ours"].get(name)
        rows.append(
            [
                name,
                spread(step["seconds"]),
                spread(step["images_per_second"], ".1f"),
                spread(ratio, ".2f") if ratio else "",
                *(f"{step['parts'][part]:.3f}" for part in PARTS),
            ]
        )
    print(table(rows))
    print(f"of the student's part, the losses alone: {spread(results['losses_seconds'])} s")


if __name__ == "__main__":
    run_program(main)
