"""How far a long piece of work is: a bar on a terminal, now and then a line in a log."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Never, Self, TextIO

from tqdm import tqdm

__all__ = ["Progress", "duration"]

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows done of total, rate, time left and the latest numbers.

    On a terminal this is a bar that redraws itself; elsewhere it is plain lines, at most one every
    ten seconds and one at the end.

    Args:
        total: units of the whole work, those done before included.
        unit: what is counted, in the plural ("steps", "kimg").
        description: names the work, at the beginning of the line.
        initial: units done before, when a run is resumed.
        stream: where to write; stderr if None.
        clock: gives seconds that only grow.
    """

    def __init__(
        self,
        total: int,
        *,
        unit: str,
        description: str,
        initial: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.done = initial
        self.unit = unit
        self.description = description
        self._initial = initial
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._started = self._last_line = clock()
        self._numbers: dict[str, float] = {}
        self._closed = False
        self._bar: tqdm[Never] | None = None
        if self._stream.isatty():
            self._bar = tqdm(
                total=total,
                initial=initial,
                desc=description,
                unit=f" {unit}",
                file=self._stream,
                dynamic_ncols=True,
            )

    def update(self, n: int = 1, **numbers: float) -> None:
        """Count `n` more units as done.

        Args:
            n: units since the last call.
            numbers: figures to show, such as `loss=12.3`; one not given again stays.
        """
        self.done += n
        self._numbers.update(numbers)
        if self._bar is not None:
            if numbers:
                self._bar.set_postfix(self._numbers, refresh=False)
            self._bar.update(n)
        elif self.done != self.total and self._clock() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._write_line()

    def close(self) -> None:
        """Write the last state; calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._bar is not None:
            self._bar.close()
        else:
            self._write_line()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write_line(self) -> None:
        self._last_line = self._clock()
        elapsed = self._last_line - self._started
        rate = (self.done - self._initial) / elapsed if elapsed > 0 else 0.0
        share = f" ({self.done / self.total:.0%})" if self.total else ""
        parts = [f"{self.description}: {self.done}/{self.total} {self.unit}{share}"]
        if rate > 0:
            parts.append(f"{rate:.3g} {self.unit}/s")
        if rate > 0 and self.done < self.total:
            parts.append(f"{duration((self.total - self.done) / rate)} left")
        else:
            parts.append(f"{duration(elapsed)} taken")
        parts += [f"{name} {value:.4g}" for name, value in self._numbers.items()]
        self._stream.write(", ".join(parts) + "\n")
        self._stream.flush()


def duration(seconds: float) -> str:
    """Give `seconds` as people say it, to two units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, of_day = divmod(hours, 24)
    if days:
        return f"{days} days {of_day} h" if days > 1 else f"1 day {of_day} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{rest} s"
