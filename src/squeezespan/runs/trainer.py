"""The loop of every training: steps, what is done between them, how it stops and goes on.

A checkpoint stands for "so many steps are done and logged, and a check that is due has not run",
so a resumed run first does what the interrupted one had still to do.
"""

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.runs.checkpoint import save_checkpoint
from squeezespan.runs.health import LossWatch, check_weights
from squeezespan.runs.recorder import Recorder
from squeezespan.runs.signals import StopRequest, StopSignals
from squeezespan.untrusted.wording import shown

__all__ = ["Job", "Pace", "Trainer"]

_LOOK_EVERY = 10
"""Steps between looks at signals, clock and loss where looking makes processes or a GPU wait."""


class Job(Protocol):
    """What is trained, step by step."""

    check_kind: str
    """What a check's numbers are called in `metrics.jsonl`."""
    shown: tuple[str, ...]
    """Names of numbers that stand beside the progress bar."""

    def optimise(self, step: int) -> Mapping[str, Tensor]:
        """Do the step that follows `step` steps.

        Returns:
            names to detached scalars on the device; one that a step leaves out keeps its value.
        """

    def record(self, step: int, numbers: Mapping[str, float]) -> dict[str, float]:
        """Give the line of the log after `step` steps, from the numbers of the last ones."""

    def check_due(self, step: int) -> bool:
        """Tell whether to check what has been learnt after `step` steps."""

    def check(self, step: int) -> Mapping[str, float]:
        """Check it, without changing it; all processes take part, and it may be done again."""

    def publish(self, step: int) -> None:
        """Leave what has been learnt after `step` steps for others to use; on one process."""

    def weights(self) -> Iterable[Tensor]:
        """Give the tensors that must be finite to be saved."""

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps: nested dicts and lists of tensors and primitives."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""


@dataclass(frozen=True)
class Pace:
    """How long a training is, and how often it is looked at."""

    steps: int
    """Of the whole training."""
    batch_size: int
    """Images of one step, on all processes together."""
    log_every: int
    """Steps between lines in the log."""
    checkpoint_minutes: float
    """Wall time between checkpoints; 0 is after every step."""


class Trainer:
    """Trains from the first or any later step to the last.

    Args:
        fabric: launched.
        pace: length and rhythm.
        job: what is trained.
        recorder: takes the numbers.
        checkpoints: folder that checkpoints are written to.
        stamp: what else a checkpoint says of its run, for those who load it.
        advice: what to try where a number stops being finite.
    """

    def __init__(
        self,
        fabric: Fabric,
        pace: Pace,
        job: Job,
        recorder: Recorder,
        checkpoints: Path,
        stamp: Mapping[str, Any] | None = None,
        advice: str = "",
    ) -> None:
        self._fabric = fabric
        self._pace = pace
        self._job = job
        self._recorder = recorder
        self._checkpoints = checkpoints
        self._stamp = dict(stamp or {})
        self._advice = advice
        self._signals = StopSignals()
        self._watch = LossWatch(fabric.device, advice)
        self._numbers: dict[str, Tensor | float] = {}
        waits = fabric.world_size > 1 or fabric.device.type != "cpu"
        self._look_every = _LOOK_EVERY if waits and pace.checkpoint_minutes else 1
        self._step = 0
        self._saved_step = -1
        self._began = self._saved_at = self._logged_at = time.monotonic()
        self._logged_step = 0

    def load(self, step: int, state: Mapping[str, Any]) -> None:
        """Continue after `step` steps from what a checkpoint holds.

        Raises:
            UserError: it is of another training than this one.
        """
        try:
            self._job.load(state["job"])
        except UserError:
            raise
        # What doesn't fit fails in as many ways as torch and the jobs take it up.
        except Exception as error:
            raise UserError(
                f"the checkpoint after step {step} in {self._checkpoints} does not fit this run "
                f"({shown(str(error), 200)}); start again with another --out"
            ) from error
        self._numbers = dict(state["numbers"])
        self._began -= state["seconds"]
        self._step = self._saved_step = self._logged_step = step

    def standing(self) -> dict[str, Any]:
        """Give what `load` takes up, as a checkpoint would hold it now."""
        return {
            "job": self._job.state(),
            "numbers": self._finite_numbers(),
            "seconds": time.monotonic() - self._began,
            "metrics_bytes": self._recorder.position(),
            "stamp": self._stamp,
        }

    def run(self) -> None:
        """Train to the last step; the last checkpoint is written before this returns.

        Raises:
            TrainingError: a number or the weights stopped being finite.
            StorageError: the disk is full.
            KeyboardInterrupt: stopped by Ctrl-C, after a checkpoint.
            SystemExit: stopped by SIGTERM (code 143), after a checkpoint.
        """
        with self._signals:
            self._check()
            while self._step < self._pace.steps:
                numbers = self._job.optimise(self._step)
                self._step += 1
                self._watch.observe(self._step, numbers)
                self._numbers |= numbers
                self._maintain()
                self._recorder.advance(self._pace.batch_size)

    def _maintain(self) -> None:
        """Log, save, stop and check where it is time to."""
        last = self._step == self._pace.steps
        log = last or self._step % self._pace.log_every == 0
        if log or self._step % self._look_every == 0:
            minutes = (time.monotonic() - self._saved_at) / 60
            stop, save = self._agree(last or minutes >= self._pace.checkpoint_minutes)
            if log:
                self._log()
            if stop:
                self._signals.received = stop
                self._stop()
            if save:
                self._save()
                if self._pace.checkpoint_minutes and not last and self._fabric.is_global_zero:
                    self._job.publish(self._step)
        self._check()

    def _agree(self, save: bool) -> tuple[int, bool]:
        """Settle with the other processes on the signal to stop for, and whether to save."""
        first_bad = self._watch.first_bad_step
        news = torch.tensor([self._signals.received, save], device=first_bad.device)
        news = torch.cat([news, -first_bad[None]])
        if self._fabric.world_size > 1:
            dist.all_reduce(news, op=dist.ReduceOp.MAX)
        stop, agreed, negative = news.tolist()
        self._watch.check(-negative)
        return stop, bool(agreed)

    def _log(self) -> None:
        now = time.monotonic()
        done = (self._step - self._logged_step) * self._pace.batch_size
        record = self._job.record(self._step, self._finite_numbers())
        record |= {
            "seconds": round(now - self._began, 3),
            "images_per_second": round(done / max(now - self._logged_at, 1e-9), 2),
        }
        self._recorder.write("train", self._step, record, show=self._job.shown)
        self._logged_step, self._logged_at = self._step, now

    def _finite_numbers(self) -> dict[str, float]:
        return {name: float(number) for name, number in self._numbers.items()}

    def _check(self) -> None:
        """Check where it is due; a signal interrupts it, and it is done on resuming."""
        if not self._step or not self._job.check_due(self._step):
            return
        began = time.monotonic()
        try:
            if self._fabric.world_size == 1:
                with self._signals.interruptible():
                    numbers = self._job.check(self._step)
            else:
                numbers = self._job.check(self._step)
        except StopRequest:
            self._stop()
        if numbers:
            shown = tuple(name for name in self._job.shown if name in numbers)
            self._recorder.write(self._job.check_kind, self._step, numbers, show=shown)
        self._logged_at += time.monotonic() - began

    def _stop(self) -> NoReturn:
        self._save()
        if self._fabric.is_global_zero:
            self._job.publish(self._step)
            print(
                f"stopped after step {self._step} of {self._pace.steps}; a checkpoint is written, "
                "continue with --resume",
                file=sys.stderr,
            )
        self._signals.end_process()

    def _save(self) -> None:
        if self._saved_step == self._step:
            return
        check_weights(self._step, self._job.weights(), self._advice)
        if self._fabric.is_global_zero:
            save_checkpoint(self._checkpoints, self._step, self.standing())
        self._saved_step, self._saved_at = self._step, time.monotonic()
