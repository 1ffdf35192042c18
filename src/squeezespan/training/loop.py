"""The loop: optimiser steps, what is logged and saved between them, and how it stops and goes on.

A checkpoint stands for "so many steps are done and logged, and a monitor that is due has not run",
so a resumed run first does what the interrupted one had still to do.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor

from squeezespan.config import DistillConfig
from squeezespan.methods.base import Batch, Method
from squeezespan.randomness import derive_seed
from squeezespan.training.checkpoint import save_checkpoint
from squeezespan.training.health import LossWatch, check_weights, student_watch, target_watch
from squeezespan.training.optimizer import build_optimizer, set_learning_rate
from squeezespan.training.recorder import Recorder
from squeezespan.training.schedule import Plan, learning_rate
from squeezespan.training.signals import StopRequest, StopSignals

__all__ = ["BatchSource", "Loop", "Monitor"]

_LOOK_EVERY = 10
"""Steps between looks at signals, clock and loss where looking makes processes or a GPU wait."""


class BatchSource(Protocol):
    """Gives the batch of a step."""

    def batch(self, step: int, part: int = 0) -> Batch:
        """Make micro-batch `part` of the step that follows `step` steps."""


class Monitor(Protocol):
    """Measures the student now and then; it does not change it."""

    def due(self, step: int) -> bool:
        """Tell whether to measure after `step` steps."""

    def measure(self) -> dict[str, float]:
        """Give named numbers, `knn_accuracy` among them; all processes take part."""


class Loop:
    """Trains a method from its first or any later step to the last.

    Args:
        fabric: launched.
        config: the run's settings.
        plan: the run's length.
        method: trained in place, on Fabric's device.
        stream: makes the batches.
        monitor: measures the student; None does not.
        recorder: takes the numbers.
        checkpoints: folder that checkpoints are written to.
        stamp: what else a checkpoint says of its run, for those who load it.
    """

    def __init__(
        self,
        fabric: Fabric,
        config: DistillConfig,
        plan: Plan,
        method: Method,
        stream: BatchSource,
        monitor: Monitor | None,
        recorder: Recorder,
        checkpoints: Path,
        stamp: Mapping[str, Any] | None = None,
    ) -> None:
        self._fabric = fabric
        self._config = config
        self._plan = plan
        self._method = method
        self._stream = stream
        self._monitor = monitor
        self._recorder = recorder
        self._checkpoints = checkpoints
        self._stamp = dict(stamp or {})
        peak = config.optim.base_lr * config.train.batch_size / 256
        optimizer = build_optimizer(method, config.optim, peak)
        self._module, self._optimizer = fabric.setup(method, optimizer)
        self._signals = StopSignals()
        self._loss_watch = LossWatch(fabric.device)
        self._collapse_watches = (student_watch(), target_watch())
        waits = fabric.world_size > 1 or fabric.device.type != "cpu"
        self._look_every = _LOOK_EVERY if waits and config.train.checkpoint_minutes else 1
        self._step = 0
        self._saved_step = -1
        self._began = self._saved_at = self._logged_at = time.monotonic()
        self._logged_step = 0

    def load(self, step: int, state: dict[str, Any]) -> None:
        """Continue after `step` steps from what a checkpoint holds."""
        self._method.load_state_dict(state["method"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        for watch in self._collapse_watches:
            watch.low_in_a_row = state["low_in_a_row"][watch.name]
        self._began -= state["seconds"]
        self._step = self._saved_step = self._logged_step = step

    def run(self) -> None:
        """Train to the last step; the last checkpoint is written before this returns.

        Raises:
            TrainingError: the loss or the weights stopped being finite.
            StorageError: the disk is full.
            KeyboardInterrupt: stopped by Ctrl-C, after a checkpoint.
            SystemExit: stopped by SIGTERM (code 143), after a checkpoint.
        """
        self._method.train()
        with self._signals:
            self._measure()
            while self._step < self._plan.steps:
                losses = self._optimise()
                self._step += 1
                self._look(losses)
                self._measure()
                self._recorder.advance(self._config.train.batch_size)

    def _optimise(self) -> dict[str, Tensor]:
        """Do one optimiser step and give its losses, averaged over micro-batches."""
        optim = self._config.optim
        # Layers that draw (dropout, stochastic depth) depend on the step alone, too.
        torch.manual_seed(
            derive_seed(self._config.train.seed, self._step, "layers", self._fabric.global_rank)
        )
        rate = learning_rate(self._step, self._plan, optim, self._config.train.batch_size)
        set_learning_rate(self._optimizer, rate)
        averages: dict[str, Tensor] = {}
        for part in range(optim.accumulate):
            more = part < optim.accumulate - 1
            with self._fabric.no_backward_sync(self._module, enabled=more):
                losses = self._module(self._stream.batch(self._step, part))
                self._fabric.backward(losses["loss"] / optim.accumulate)
            for name, loss in losses.items():
                averages[name] = averages.get(name, 0) + loss.detach() / optim.accumulate
        if optim.clip_grad_norm is not None:
            self._fabric.clip_gradients(
                self._module,
                self._optimizer,
                max_norm=optim.clip_grad_norm,
                error_if_nonfinite=False,
            )
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._loss_watch.observe(self._step + 1, averages)
        return averages

    def _look(self, losses: dict[str, Tensor]) -> None:
        """Log, save and stop where it is time to."""
        last = self._step == self._plan.steps
        log = last or self._step % self._config.monitor.log_every == 0
        if not log and self._step % self._look_every:
            return
        minutes = (time.monotonic() - self._saved_at) / 60
        stop, save = self._agree(last or minutes >= self._config.train.checkpoint_minutes)
        if log:
            self._log(losses)
        if stop:
            self._signals.received = stop
            self._stop()
        if save:
            self._save()

    def _agree(self, save: bool) -> tuple[int, bool]:
        """Settle with the other processes on the signal to stop for, and whether to save."""
        first_bad = self._loss_watch.first_bad_step
        news = torch.tensor([self._signals.received, save], device=first_bad.device)
        news = torch.cat([news, -first_bad[None]])
        if self._fabric.world_size > 1:
            dist.all_reduce(news, op=dist.ReduceOp.MAX)
        stop, agreed, negative = news.tolist()
        self._loss_watch.check(-negative)
        return stop, bool(agreed)

    def _log(self, losses: dict[str, Tensor]) -> None:
        now = time.monotonic()
        batch = self._config.train.batch_size
        numbers = {name: float(loss) for name, loss in losses.items()}
        collapsed = {
            watch.name: watch.observe(self._step, numbers[watch.watched])
            for watch in self._collapse_watches
            if watch.watched in numbers
        }
        rate = (self._step - self._logged_step) * batch / max(now - self._logged_at, 1e-9)
        self._recorder.write(
            "train",
            self._step,
            {
                "epoch": self._epoch(),
                "images": self._step * batch,
                "lr": max(group["lr"] for group in self._scheduled_groups()),
                **numbers,
                **collapsed,
                "seconds": round(now - self._began, 3),
                "images_per_second": round(rate, 2),
            },
            show="loss",
        )
        self._logged_step, self._logged_at = self._step, now

    def _measure(self) -> None:
        """Run the monitor where it is due; a signal interrupts it, and it is done on resuming."""
        if self._monitor is None or not self._monitor.due(self._step):
            return
        began = time.monotonic()
        try:
            if self._fabric.world_size == 1:
                with self._signals.interruptible():
                    numbers = self._monitor.measure()
            else:
                numbers = self._monitor.measure()
        except StopRequest:
            self._stop()
        finally:
            self._method.train()
        self._recorder.write(
            "knn", self._step, {"epoch": self._epoch(), **numbers}, show="knn_accuracy"
        )
        self._logged_at += time.monotonic() - began

    def _stop(self) -> NoReturn:
        self._save()
        if self._fabric.is_global_zero:
            print(
                f"stopped after step {self._step} of {self._plan.steps}; a checkpoint is written, "
                "continue with --resume",
                file=sys.stderr,
            )
        self._signals.end_process()

    def _save(self) -> None:
        if self._saved_step == self._step:
            return
        check_weights(self._step, self._method.state_dict().values())
        if self._fabric.is_global_zero:
            state = {
                "method": self._method.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "precision": self._fabric.strategy.precision.state_dict(),
                "low_in_a_row": {
                    watch.name: watch.low_in_a_row for watch in self._collapse_watches
                },
                "seconds": time.monotonic() - self._began,
                "metrics_bytes": self._recorder.position(),
                "stamp": self._stamp,
            }
            save_checkpoint(self._checkpoints, self._step, state)
        self._saved_step, self._saved_at = self._step, time.monotonic()

    def _epoch(self) -> float:
        return round(self._step / self._plan.steps_per_epoch, 4)

    def _scheduled_groups(self) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = self._optimizer.param_groups
        return [group for group in groups if not group.get("fixed_lr", False)]
