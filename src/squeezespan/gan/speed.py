"""What a GAN training takes on this machine: seconds and memory, measured on its own steps."""

import math
import resource
import sys
import time
from typing import NamedTuple

import torch

from squeezespan.gan.batches import RealBatches
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.projected_step import AnyStep

__all__ = ["GanSpeed", "measure_speed"]

_KINDS = 2
"""Measured steps of a kind; the median of so few is the faster one."""


class GanSpeed(NamedTuple):
    """Cost of a training without snapshots and checkpoints."""

    seconds_per_kimg: float
    memory: int
    """Bytes: the most that this process has held (on a GPU: that torch has allocated there)."""


def measure_speed(config: GanTrainConfig, gan: AnyStep, batches: RealBatches) -> GanSpeed:
    """Do a few steps of every kind, with and without the lazy terms; the first doesn't count.

    Args:
        config: the run's settings.
        gan: its networks; they are trained a little.
        batches: its real images.
    """
    loss = config.loss
    intervals = [loss.r1_interval]
    if loss.path_length_weight:
        intervals.append(loss.path_length_interval)
    cycle = [
        tuple(step % every == 0 for every in intervals) for step in range(math.lcm(*intervals))
    ]
    first = int(config.init.warmup_kimg * 1000) // config.train.batch_size + 1
    first += -first % len(cycle)
    seconds: dict[tuple[bool, ...], float] = {}
    _timed(gan, batches, first)
    for kind in dict.fromkeys(cycle):
        step = first + cycle.index(kind)
        seconds[kind] = min(_timed(gan, batches, step) for _ in range(_KINDS))
    mean = sum(seconds[kind] for kind in cycle) / len(cycle)
    return GanSpeed(mean / config.train.batch_size * 1000, _peak_memory(gan.device))


def _timed(gan: AnyStep, batches: RealBatches, step: int) -> float:
    began = time.perf_counter()
    numbers = gan.run(step, *batches.batch(step, gan.rows()))
    # Reading a number waits for the device.
    float(numbers["loss/discriminator"])
    return time.perf_counter() - began


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Kilobytes, but on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
