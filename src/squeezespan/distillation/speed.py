"""How fast this machine is: seconds of one training step, measured with the training's own loop."""

import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from squeezespan.config import DistillConfig
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.prepare import Parts
from squeezespan.distillation.schedule import run_pace
from squeezespan.distillation.stream import Place, Stream
from squeezespan.distillation.target import measure_target
from squeezespan.runs.launch import launch
from squeezespan.runs.recorder import Recorder
from squeezespan.runs.trainer import Trainer

__all__ = ["StepSpeed", "measure_step", "steps_to_measure"]

_CPU_STEPS, _GPU_STEPS = 5, 60
_STATISTICS_IMAGES = 100
"""Enough to measure the speed on; nothing is learnt here."""
_WARM_UP = {_CPU_STEPS: 2, _GPU_STEPS: 20}


class StepSpeed(NamedTuple):
    """What a method's training takes on this machine."""

    step: float
    """Seconds of one step."""
    target: float
    """Seconds before the first step, in which the target is measured; 0 where none is."""


class _Stopwatch(Recorder):
    """Notes when each step was done."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def advance(self, images: int) -> None:
        """Note the time."""
        self.times.append(time.perf_counter())


def steps_to_measure(device: str) -> int:
    """Steps that `measure_step` needs on a device: a GPU is fast, and slow to warm up."""
    return _CPU_STEPS if device == "cpu" else _GPU_STEPS


def measure_step(config: DistillConfig, parts: Parts) -> StepSpeed:
    """Train for a few steps and give the seconds that a run takes; the first steps don't count.

    Args:
        config: settings of a run of `steps_to_measure` steps.
        parts: of that run; its method is trained a little.
    """
    fabric = launch(config.train)
    stream = Stream(
        config,
        parts.plan,
        parts.images.train,
        parts.generator,
        parts.normalization,
        Place(0, 1, fabric.device),
        synthetic_views=parts.method.synthetic_views,
        needs_source=parts.method.needs_source,
    )
    target = 0.0
    if parts.method.standardized is not None:
        began = time.perf_counter()
        measure_target(fabric, parts.method.standardized, stream, _STATISTICS_IMAGES)
        taken = time.perf_counter() - began
        target = taken / _STATISTICS_IMAGES * config.source.statistics_images
    watch = _Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        job = StudentJob(fabric, config, parts.plan, parts.method, stream, None)
        pace = run_pace(config, parts.plan)
        Trainer(fabric, pace, job, watch, Path(folder)).run()
    counted = watch.times[_WARM_UP[parts.plan.steps] - 1 :]
    durations = [end - start for start, end in pairwise(counted)]
    # A GPU is waited for only now and then, which a median would not see.
    on_cpu = fabric.device.type == "cpu"
    step = statistics.median(durations) if on_cpu else statistics.fmean(durations)
    return StepSpeed(step, target)
