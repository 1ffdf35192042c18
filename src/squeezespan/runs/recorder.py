"""Where a run's numbers go: `metrics.jsonl`, the loggers, and the progress bar."""

from collections.abc import Mapping
from typing import Any

from squeezespan.progress import Progress
from squeezespan.runs.loggers import Logger, open_loggers
from squeezespan.runs.metrics import MetricsFile
from squeezespan.runs.run_folder import RunFolder

__all__ = ["Recorder", "open_recorder"]


class Recorder:
    """Hands numbers to every place; without places, as on all processes but the first, to none.

    Args:
        metrics: the run's `metrics.jsonl`.
        loggers: TensorBoard and the like.
        progress: counts images.
    """

    def __init__(
        self,
        metrics: MetricsFile | None = None,
        loggers: list[Logger] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._metrics = metrics
        self._loggers = loggers or []
        self._progress = progress
        self._shown: dict[str, float] = {}

    def advance(self, images: int) -> None:
        """Count images as done."""
        if self._progress is not None:
            self._progress.update(images, **self._shown)
            self._shown = {}

    def write(
        self, kind: str, step: int, numbers: Mapping[str, float], *, show: tuple[str, ...] = ()
    ) -> None:
        """Record what was measured after `step` steps.

        Args:
            kind: "train", or what was checked.
            step: optimiser steps done.
            numbers: names to values; booleans count as 0 and 1 in loggers.
            show: those that stand beside the progress bar, where they were measured.

        Raises:
            StorageError: the disk is full.
        """
        if self._metrics is not None:
            self._metrics.write({"kind": kind, "step": step, **numbers})
        for logger in self._loggers:
            logger.log(step, {f"{kind}/{name}": float(x) for name, x in numbers.items()})
        self._shown |= {name: float(numbers[name]) for name in show if name in numbers}

    def position(self) -> int:
        """Bring `metrics.jsonl` to the disk and give its length in bytes."""
        return 0 if self._metrics is None else self._metrics.position()

    def close(self) -> None:
        """Close every place."""
        for place in (self._progress, self._metrics, *self._loggers):
            if place is not None:
                place.close()


def open_recorder(
    folder: RunFolder[Any],
    config: Any,
    step: int,
    images: tuple[int, int],
    position: int,
    verb: str,
) -> Recorder:
    """Open every place that the numbers of a run go to.

    Args:
        folder: the run's; it is open.
        config: the run's settings; `monitor.loggers` names the loggers.
        step: where the run goes on.
        images: seen before, and to be seen in all.
        position: bytes of `metrics.jsonl` to keep.
        verb: what the progress bar calls the work.

    Raises:
        UserError: a logger can't be opened.
    """
    done, total = images
    return Recorder(
        MetricsFile(folder.metrics, position),
        open_loggers(folder.path, config, config.monitor.loggers, step),
        Progress(total, unit="images", description=f"{verb} {folder.path.name}", initial=done),
    )
