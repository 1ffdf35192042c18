"""A candidate in a process of its own."""

import os

import pytest
from measure.worker import Worker


class Counting:
    """Tells where it runs, and how often it has."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._runs = 0

    def run(self) -> dict[str, float]:
        self._runs += 1
        if self._runs > self._limit:
            os._exit(3)
        return {"process": os.getpid(), "runs": self._runs}


def test_candidate_runs_elsewhere_and_its_end_is_noticed() -> None:
    with Worker(Counting, 2) as worker:
        first, second = worker.run(), worker.run()
        assert first["process"] == second["process"] != os.getpid()
        assert second["runs"] == 2
        with pytest.raises(RuntimeError, match="has ended"):
            worker.run()
