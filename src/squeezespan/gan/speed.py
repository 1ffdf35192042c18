"""What a GAN training takes on this machine: seconds and memory, measured on its own steps."""

import dataclasses
import math
import time
from typing import NamedTuple

from squeezespan.gan.batches import RealBatches, RealImages
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.projected_step import AnyStep
from squeezespan.gan.share import Share
from squeezespan.hardware import peak_memory

__all__ = ["GanSpeed", "measure_speed"]

_REPEATS = 2
"""Measured steps of a kind, of which the faster one counts."""
_FEW = 4
"""Images that tell what a step costs on a CPU, where images take their time one after the other."""
_LONGEST_STEP = 20.0
"""Seconds of a step from which on fewer images are measured."""


class GanSpeed(NamedTuple):
    """Cost of a training without snapshots and checkpoints."""

    seconds_per_kimg: float
    memory: int | None
    """Bytes: the most that this process has held (on a GPU: that torch has allocated there); None
    where whole batches took too long to measure."""


def measure_speed(config: GanTrainConfig, gan: AnyStep, images: RealImages) -> GanSpeed:
    """Do a few steps of every kind, with and without the lazy terms; the first doesn't count.

    On a CPU steps of about four images are measured where whole ones would take longer than 20 s.

    Args:
        config: the run's settings.
        gan: its networks; they are trained a little.
        images: its real images.
    """
    group = config.discriminator.mbstd_group_size or _FEW
    count = _FEW if _FEW % min(group, _FEW) == 0 else group
    if gan.device.type == "cpu" and config.train.batch_size > count:
        train = dataclasses.replace(config.train, batch_size=count, micro_batch=None)
        few = dataclasses.replace(config, train=train)
        share, gan.config, gan.share = gan.share, few, Share()
        try:
            one = _timed(gan, RealBatches(few, images, gan.device), _first(few))
            if one / count * config.train.batch_size > _LONGEST_STEP:
                seconds = _mean_seconds(few, gan, images, repeats=1)
                return GanSpeed(seconds / count * 1000, None)
        finally:
            gan.config, gan.share = config, share
    seconds = _mean_seconds(config, gan, images, repeats=_REPEATS)
    return GanSpeed(seconds / config.train.batch_size * 1000, peak_memory(gan.device))


def _mean_seconds(
    config: GanTrainConfig, gan: AnyStep, images: RealImages, *, repeats: int
) -> float:
    """Of a step, over a cycle of the lazy terms."""
    batches = RealBatches(config, images, gan.device)
    cycle, first = _cycle(config), _first(config)
    _timed(gan, batches, first)
    seconds = {
        kind: min(_timed(gan, batches, first + cycle.index(kind)) for _ in range(repeats))
        for kind in dict.fromkeys(cycle)
    }
    return sum(seconds[kind] for kind in cycle) / len(cycle)


def _cycle(config: GanTrainConfig) -> list[tuple[bool, ...]]:
    """Which lazy terms each step has, until they come in the same way again."""
    loss = config.loss
    intervals = [loss.r1_interval]
    if loss.path_length_weight:
        intervals.append(loss.path_length_interval)
    steps = range(math.lcm(*intervals))
    return [tuple(step % every == 0 for every in intervals) for step in steps]


def _first(config: GanTrainConfig) -> int:
    """A step at the begin of a cycle, in which the generator learns, too."""
    step = int(config.init.warmup_kimg * 1000) // config.train.batch_size + 1
    return step + -step % len(_cycle(config))


def _timed(gan: AnyStep, batches: RealBatches, step: int) -> float:
    began = time.perf_counter()
    numbers = gan.run(step, *batches.batch(step, gan.rows()))
    # Reading a number waits for the device.
    float(numbers["loss/discriminator"])
    return time.perf_counter() - began
