"""The training of a student: one optimiser step, and what its log and checkpoints say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor

from squeezespan.config import DistillConfig
from squeezespan.distillation.collapse import watches_of
from squeezespan.distillation.optimizer import build_optimizer, set_learning_rate
from squeezespan.distillation.schedule import Plan, learning_rate
from squeezespan.methods.base import Batch, Method
from squeezespan.randomness import derive_seed

__all__ = ["BatchSource", "Monitor", "StudentJob"]


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


class StudentJob:
    """Trains a method.

    Args:
        fabric: launched.
        config: the run's settings.
        plan: the run's length.
        method: trained in place, on Fabric's device.
        stream: makes the batches.
        monitor: measures the student; None does not.
        publish: leaves the student after so many steps for others to use, with what is to be said
            of it (`verdicts`); None does not.
    """

    check_kind = "knn"
    shown: tuple[str, ...] = ("loss", "knn_accuracy")

    def __init__(
        self,
        fabric: Fabric,
        config: DistillConfig,
        plan: Plan,
        method: Method,
        stream: BatchSource,
        monitor: Monitor | None,
        publish: Callable[[int, Sequence[str]], None] | None = None,
    ) -> None:
        self._fabric = fabric
        self._config = config
        self._plan = plan
        self._method = method
        self._stream = stream
        self._monitor = monitor
        self._publish = publish
        peak = config.optim.base_lr * config.train.batch_size / 256
        optimizer = build_optimizer(method, config.optim, peak)
        self._module, self._optimizer = fabric.setup(method, optimizer)
        self._watches = watches_of(config.method)
        method.train()

    def optimise(self, step: int) -> Mapping[str, Tensor]:
        """Do one optimiser step and give its losses, averaged over micro-batches."""
        optim = self._config.optim
        # Layers that draw (dropout, stochastic depth) depend on the step alone, too.
        torch.manual_seed(
            derive_seed(self._config.train.seed, step, "layers", self._fabric.global_rank)
        )
        rate = learning_rate(step, self._plan, optim, self._config.train.batch_size)
        set_learning_rate(self._optimizer, rate)
        averages: dict[str, Tensor] = {}
        for part in range(optim.accumulate):
            more = part < optim.accumulate - 1
            with self._fabric.no_backward_sync(self._module, enabled=more):
                losses = self._module(self._stream.batch(step, part))
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
        return averages

    def record(self, step: int, numbers: Mapping[str, float]) -> dict[str, float]:
        """Give the line of the log, with whether something has collapsed."""
        return {
            "epoch": self._epoch(step),
            "images": step * self._config.train.batch_size,
            "lr": max(group["lr"] for group in self._scheduled_groups()),
            **numbers,
            **{
                watch.name: watch.observe(
                    step,
                    numbers[watch.watched],
                    last=step == self._plan.steps,
                    loud=self._fabric.is_global_zero,
                )
                for watch in self._watches
                if watch.watched in numbers
            },
        }

    def verdicts(self, step: int) -> list[str]:
        """Say in plain words what has collapsed after `step` steps; empty where nothing has."""
        last = step == self._plan.steps
        return [watch.verdict for watch in self._watches if watch.collapsed(last=last)]

    def check_due(self, step: int) -> bool:
        """Tell whether to run the monitor after `step` steps."""
        return self._monitor is not None and self._monitor.due(step)

    def check(self, step: int) -> Mapping[str, float]:
        """Run the monitor."""
        assert self._monitor is not None
        try:
            return {"epoch": self._epoch(step), **self._monitor.measure()}
        finally:
            self._method.train()

    def publish(self, step: int) -> None:
        """Leave the student for others to use."""
        if self._publish is not None:
            self._publish(step, self.verdicts(step))

    def weights(self) -> Iterable[Tensor]:
        """Give the method's parameters and buffers."""
        tensors: Iterable[Tensor] = self._method.state_dict().values()
        return tensors

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {
            "method": self._method.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "precision": self._fabric.strategy.precision.state_dict(),
            "low_in_a_row": {watch.name: watch.low_in_a_row for watch in self._watches},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""
        self._method.load_state_dict(state["method"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        for watch in self._watches:
            watch.low_in_a_row = state["low_in_a_row"][watch.name]

    def _epoch(self, step: int) -> float:
        return round(step / self._plan.steps_per_epoch, 4)

    def _scheduled_groups(self) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = self._optimizer.param_groups
        return [group for group in groups if not group.get("fixed_lr", False)]
