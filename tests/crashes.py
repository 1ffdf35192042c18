"""Trainings that break off between two steps."""

from collections.abc import Mapping
from typing import Any

import pytest
from torch import Tensor

__all__ = ["CrashError", "crash_before"]


class CrashError(Exception):
    """What stands for a power cut."""


def crash_before(monkeypatch: pytest.MonkeyPatch, job: type[Any], steps: list[int]) -> None:
    """Let the next trainings break off, each before the next one of `steps`.

    Args:
        monkeypatch: undoes it.
        job: the class whose `optimise` is to fail.
        steps: counted from 0, in the order in which they come; emptied.
    """
    optimise = job.optimise

    def fragile(self: Any, step: int) -> Mapping[str, Tensor]:
        if steps and step == steps[0]:
            del steps[0]
            raise CrashError
        numbers: Mapping[str, Tensor] = optimise(self, step)
        return numbers

    monkeypatch.setattr(job, "optimise", fragile)
