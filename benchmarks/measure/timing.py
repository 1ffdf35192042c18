"""Repeated measurements, with the candidates taking turns."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

__all__ = ["Clock", "spread", "summarize", "take_turns"]


class Clock:
    """Seconds since the last look, after what the device has still to do.

    Args:
        device: that is waited for.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last = self._now()

    def look(self) -> float:
        """Give the seconds since the last look, or since the clock was made."""
        now = self._now()
        seconds, self._last = now - self._last, now
        return seconds

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def take_turns(
    candidates: Mapping[str, Callable[[], Any]],
    trials: int,
    warmup: int,
    device: torch.device,
) -> dict[str, list[float]]:
    """Time each candidate `trials` times, one after the other in every round.

    Taking turns spreads over all of them what else the machine does meanwhile.

    Args:
        candidates: name to what is timed.
        trials: rounds that count.
        warmup: rounds before, that do not.
        device: that is waited for.

    Returns:
        name to seconds of every trial.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(warmup + trials):
        for name, candidate in candidates.items():
            clock = Clock(device)
            candidate()
            taken = clock.look()
            if number >= warmup:
                seconds[name].append(taken)
    return seconds


def summarize(values: Sequence[float]) -> dict[str, float]:
    """Give median, smallest and largest of at least one value."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def spread(summary: Mapping[str, float], form: str = ".3f") -> str:
    """Write a summary as `median (min to max)`."""
    median, low, high = (format(summary[name], form) for name in ("median", "min", "max"))
    return f"{median} ({low} to {high})"
