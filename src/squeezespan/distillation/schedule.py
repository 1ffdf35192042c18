"""How long a run is and which learning rate each of its steps has."""

import math
from dataclasses import dataclass

from squeezespan.config import DistillConfig, OptimConfig
from squeezespan.errors import UserError
from squeezespan.runs.trainer import Pace

__all__ = ["Plan", "learning_rate", "plan_run", "run_pace"]

_LEAST_UNBIASED = 4
"""Images that an unbiased estimate of squared covariances needs."""


@dataclass(frozen=True)
class Plan:
    """Sizes of a run that follow from its settings and the number of real images."""

    train_images: int
    """Real images that the run learns from; those held out are not among them."""
    steps_per_epoch: int
    steps: int
    """Optimiser steps of the whole run."""
    synthetic_batch: int
    """Synthetic images of one step, on all processes together."""
    real_batch: int
    """Real images of one step, on all processes together."""

    @property
    def epochs(self) -> float:
        """Length of the run in epochs; fractional where `max_steps` cuts the last one."""
        return self.steps / self.steps_per_epoch

    @property
    def images(self) -> int:
        """Images that pass through the student, two views of one image counted once."""
        return self.steps * (self.synthetic_batch + self.real_batch)


def plan_run(config: DistillConfig, train_images: int, world_size: int = 1) -> Plan:
    """Work out the length of a run and the make-up of its batches.

    An epoch is floor(real images / batch size) steps, also where only synthetic images are used.

    Args:
        config: the run's settings.
        train_images: real images to learn from.
        world_size: number of processes.

    Raises:
        UserError: the batch does not divide among processes and micro-batches, a share of it is
            too small for statistics over the batch, or it is larger than the data set.
    """
    train = config.train
    synthetic = round(config.method.alpha * train.batch_size)
    real = train.batch_size - synthetic
    accumulate = config.optim.accumulate
    parts = world_size * accumulate
    unbiased = config.method.covariance_estimate == "unbiased"
    for share, kind in ((synthetic, "synthetic"), (real, "real")):
        if share % parts:
            raise UserError(
                f"--batch-size {train.batch_size} with --method.alpha {config.method.alpha:g} "
                f"means {share} {kind} images a step, which {world_size} processes with "
                f"--optim.accumulate {config.optim.accumulate} cannot share equally; "
                f"choose a batch whose synthetic and real images are both multiples of {parts}"
            )
        if 0 < share // parts < 2 or (not share and 0 < config.method.alpha < 1):
            raise UserError(
                f"--batch-size {train.batch_size} with --method.alpha {config.method.alpha:g} "
                f"leaves fewer than 2 {kind} images to each process and micro-batch; "
                "choose a larger batch"
            )
        if unbiased and 0 < share // accumulate < _LEAST_UNBIASED:
            raise UserError(
                f"--batch-size {train.batch_size} leaves {share // accumulate} {kind} images to a "
                f"loss, but --method.covariance-estimate unbiased needs {_LEAST_UNBIASED}; choose "
                "a larger batch"
            )
    steps_per_epoch = train_images // train.batch_size
    if not steps_per_epoch:
        raise UserError(
            f"--batch-size is {train.batch_size}, but {config.data} has only {train_images} "
            "images to learn from; choose a smaller batch"
        )
    steps = train.epochs * steps_per_epoch
    if train.max_steps is not None:
        steps = min(steps, train.max_steps)
    return Plan(train_images, steps_per_epoch, steps, synthetic, real)


def run_pace(config: DistillConfig, plan: Plan) -> Pace:
    """Give the length and rhythm of a run."""
    train = config.train
    log_every = config.monitor.log_every
    return Pace(plan.steps, train.batch_size, log_every, train.checkpoint_minutes)


def learning_rate(step: int, plan: Plan, optim: OptimConfig, batch_size: int) -> float:
    """Give the learning rate of one step: linear warm-up, then a cosine to 0.

    The peak is `base_lr * batch_size / 256` (Goyal et al. 2017, Section 2.1; SimSiam, Section
    4.1). The cosine moves once an epoch or every step (`optim.schedule`) and reaches 0 when the
    run ends.

    Args:
        step: optimiser steps already done.
        plan: the run's sizes.
        optim: peak, warm-up and unit of the schedule.
        batch_size: images of one step on all processes.
    """
    peak = optim.base_lr * batch_size / 256
    warmup = min(round(optim.warmup_epochs * plan.steps_per_epoch), plan.steps)
    if step < warmup:
        return peak * (step + 1) / warmup
    if optim.schedule == "epoch":
        first_epoch = warmup // plan.steps_per_epoch
        epoch = step // plan.steps_per_epoch - first_epoch
        progress = epoch / (plan.epochs - first_epoch)
    else:
        progress = (step - warmup) / (plan.steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))
