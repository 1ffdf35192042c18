"""A candidate in a process of its own, so that what it sets for the process stays with it."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Protocol

__all__ = ["Timed", "Worker"]


class Timed(Protocol):
    """Something that does its work once and says how long its parts took."""

    def run(self) -> dict[str, float]:
        """Do the work and give the seconds of its parts."""


class Worker:
    """Builds a candidate in a new process and runs it there when asked.

    Args:
        build: makes the candidate; a function of an importable module.
        arguments: what `build` is called with.
    """

    def __init__(self, build: Callable[..., Timed], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, inside = context.Pipe()
        # A daemon may not have children, and a data loader's workers are such.
        self._process = context.Process(target=_serve, args=(inside, build, arguments))
        self._process.start()
        inside.close()

    def run(self) -> dict[str, float]:
        """Run the candidate once and give the seconds of its parts."""
        self._pipe.send(None)
        try:
            seconds: dict[str, float] = self._pipe.recv()
        except EOFError:
            raise RuntimeError("the measured process has ended; see its error above") from None
        return seconds

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.join()


def _serve(pipe: Connection, build: Callable[..., Timed], arguments: tuple[Any, ...]) -> None:
    candidate = build(*arguments)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        pipe.send(candidate.run())
