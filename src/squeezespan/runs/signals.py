"""Stopping a run politely: a signal is noted, and the loop ends at the next good moment."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn

__all__ = ["StopRequest", "StopSignals"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest(BaseException):
    """A signal came while the loop could be interrupted at once."""


class StopSignals:
    """While entered, notes SIGTERM and SIGINT instead of letting them end the process.

    A second Ctrl-C does end it. Outside the main thread nothing is caught.
    """

    def __init__(self) -> None:
        self.received = 0
        """Number of the signal that came; 0 while none did."""
        self._interruptible = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal raise `StopRequest` inside, for work that can be done again."""
        self._interruptible = True
        try:
            if self.received:
                raise StopRequest
            yield
        finally:
            self._interruptible = False

    def end_process(self) -> NoReturn:
        """End as the signal asks: KeyboardInterrupt for Ctrl-C, exit code 143 for SIGTERM.

        Raises:
            KeyboardInterrupt: SIGINT was received.
            SystemExit: another signal was received.
        """
        if self.received == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + self.received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT == self.received:
            raise KeyboardInterrupt
        self.received = self.received or number
        if self._interruptible:
            self._interruptible = False
            raise StopRequest
