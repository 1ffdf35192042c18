"""How fast this machine is: seconds of one training step, measured with the training's own loop."""

import dataclasses
import math
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from lightning_fabric import Fabric

from squeezespan.config import DistillConfig
from squeezespan.distillation.job import StudentJob
from squeezespan.distillation.pool import Pool
from squeezespan.distillation.prepare import Parts, open_stream
from squeezespan.distillation.schedule import plan_run, run_pace
from squeezespan.distillation.stream import Place, Stream
from squeezespan.distillation.target import measure_targets
from squeezespan.errors import UserError
from squeezespan.hardware import peak_memory
from squeezespan.runs.launch import launch
from squeezespan.runs.recorder import Recorder
from squeezespan.runs.trainer import Trainer

__all__ = ["RunSpeed", "StepSpeed", "measure_run", "measure_step", "steps_to_measure"]

_CPU_STEPS, _GPU_STEPS = 5, 60
_STATISTICS_IMAGES = 100
"""Enough to measure the speed on; nothing is learnt here."""
_WARM_UP = {_CPU_STEPS: 2, _GPU_STEPS: 20}
_FEW = 16
"""Images that tell what a step costs on a CPU, where images take their time one after the other."""
_LONGEST_STEP = 4.0
"""Seconds of a step from which on fewer images are measured."""


class StepSpeed(NamedTuple):
    """What a method's training takes on this machine."""

    step: float
    """Seconds of one step."""
    target: float
    """Seconds before the first step, in which the target is measured; 0 where none is."""


class RunSpeed(NamedTuple):
    """Cost of a whole training without checks, checkpoints and reports."""

    step: float
    """Seconds of one step."""
    seconds: float
    """Of all steps, and of measuring the target before them."""
    memory: int | None
    """Bytes: the most that this process has held (on a GPU: that torch has allocated there); None
    where whole batches took too long to measure."""


class _Stopwatch(Recorder):
    """Notes when each step was done."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def advance(self, images: int) -> None:
        """Note the time."""
        self.times.append(time.perf_counter())


def measure_run(parts: Parts, device: torch.device) -> RunSpeed:
    """Measure a few of a run's steps and work out what all of them take.

    On a CPU steps of about 16 images are measured where whole ones would take longer than 4 s.

    Args:
        parts: of the run; its method is trained a little.
        device: of this process.
    """
    if device.type == "cpu":
        few = _short(parts, device, _fewest_images(parts))
        share = few.config.train.batch_size / parts.config.train.batch_size
        speed = measure_step(few.config, few)
        if share < 1 and speed.step / share > _LONGEST_STEP:
            step = speed.step / share
            return RunSpeed(step, parts.plan.steps * step + speed.target, None)
    whole = _short(parts, device, parts.config.train.batch_size)
    speed = measure_step(whole.config, whole)
    seconds = parts.plan.steps * speed.step + speed.target
    return RunSpeed(speed.step, seconds, peak_memory(device))


def _short(parts: Parts, device: torch.device, batch_size: int) -> Parts:
    """The same run with as many steps as are measured, of so many images."""
    steps = steps_to_measure(device.type)
    per_epoch = parts.plan.train_images // batch_size
    train = dataclasses.replace(
        parts.config.train,
        batch_size=batch_size,
        max_steps=steps,
        epochs=math.ceil(steps / per_epoch),
    )
    config = dataclasses.replace(parts.config, train=train)
    return dataclasses.replace(parts, config=config, plan=plan_run(config, parts.plan.train_images))


def _fewest_images(parts: Parts) -> int:
    """The smallest batch from 16 images on that real and synthetic images can share."""
    whole = parts.config.train.batch_size
    for batch_size in range(_FEW, whole):
        train = dataclasses.replace(parts.config.train, batch_size=batch_size)
        try:
            plan_run(dataclasses.replace(parts.config, train=train), parts.plan.train_images)
        except UserError:
            continue
        return batch_size
    return whole


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
    stream = open_stream(config, parts, Place(0, 1, fabric.device))
    target = 0.0
    if parts.method.standardized is not None or parts.method.real_standardized is not None:
        began = time.perf_counter()
        measure_targets(fabric, parts.method, stream, _STATISTICS_IMAGES)
        taken = time.perf_counter() - began
        target = taken / _STATISTICS_IMAGES * config.source.statistics_images
    stream.pool = None
    step = _step_seconds(fabric, config, parts, stream)
    reuse = config.source.reuse
    if reuse > 1 and parts.generator is not None:
        # All steps but the first, which doesn't count, get images that are held.
        stream.pool = Pool(1, parts.plan.steps)
        step += (_step_seconds(fabric, config, parts, stream) - step) * (reuse - 1) / reuse
    return StepSpeed(step, target)


def _step_seconds(fabric: Fabric, config: DistillConfig, parts: Parts, stream: Stream) -> float:
    watch = _Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        job = StudentJob(fabric, config, parts.plan, parts.method, stream, None)
        pace = run_pace(config, parts.plan)
        Trainer(fabric, pace, job, watch, Path(folder)).run()
    counted = watch.times[_WARM_UP[parts.plan.steps] - 1 :]
    durations = [end - start for start, end in pairwise(counted)]
    # A GPU is waited for only now and then, which a median would not see.
    on_cpu = fabric.device.type == "cpu"
    return statistics.median(durations) if on_cpu else statistics.fmean(durations)
