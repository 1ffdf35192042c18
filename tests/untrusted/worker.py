"""A process that opens untrusted files and tells what each of them did.

    python -m untrusted.worker VALID_FILE...

It opens the valid files first, so that whatever is imported later is new. Then it reads paths from
its input, a line of JSON each, and answers in the same way. While a file is open, anything that
Python reports to audit hooks is recorded, except what reading that file needs. Memory beyond
`MEMORY_LIMIT` and the file's own size is refused by the system; `CPU_LIMIT` seconds on one file end
the process.
"""

import codecs
import json
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import squeezespan
from squeezespan.discriminators.files import load_discriminator
from squeezespan.errors import UserError

MEMORY_LIMIT = 1 << 30
CPU_LIMIT = 20.0

_HARMLESS = {
    *("sys._getframe", "sys._getframemodulename"),
    *("mmap.__new__", "object.__getattr__", "builtins.id"),
}
_READ_MODES = {"r", "rb", None}


class Watch:
    """Records what happens while a file is open."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.events: list[str] = []

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an event of `sys.addaudithook`."""
        if self.path is None or event in _HARMLESS:
            return
        if event == "open" and len(arguments) == 3:
            name, mode, _ = arguments
            if str(name) == self.path and mode in _READ_MODES:
                return
        shown = ", ".join(ascii(x)[:80] for x in arguments[:2] if isinstance(x, str | int | bytes))
        self.events.append(f"{event}({shown})")


def _status(field: str) -> int:
    """A size in bytes that Linux keeps of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    return 0


@dataclass
class _Timer:
    """The longest of several steps, in seconds of the clock and of the processor."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Measure a step."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall = max(self.wall, time.perf_counter() - wall)
            self.cpu = max(self.cpu, time.process_time() - cpu)


def _open(path: str, timer: _Timer, *, discriminator: bool) -> tuple[str, str]:
    """Open a file's generator, which decides, and its discriminator if asked."""
    try:
        with timer.step():
            squeezespan.load_generator(path)
        outcome = "loaded", ""
    except UserError as error:
        outcome = "refused", str(error)
    if discriminator:
        with timer.step(), suppress(UserError):
            load_discriminator(path)
    return outcome


def _judge(path: str, watch: Watch, *, discriminator: bool) -> dict[str, Any]:
    with suppress(OSError):  # some containers don't let a process do that
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before = _status("VmRSS")
    # The file is mapped, which takes addresses and no memory.
    limit = _status("VmSize") + MEMORY_LIMIT + Path(path).stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)
    timer = _Timer()
    watch.events, watch.path = [], path
    try:
        kind, message = _open(path, timer, discriminator=discriminator)
    except BaseException as error:
        kind, message = "escaped", f"{type(error).__name__}: {error}"
    finally:
        watch.path = None
    signal.setitimer(signal.ITIMER_PROF, 0)
    return {
        "kind": kind,
        "message": message,
        "seconds": timer.cpu,
        "wall_seconds": timer.wall,
        "bytes": max(0, _status("VmHWM") - before),
        "events": watch.events[:20],
    }


def main() -> None:
    """Answer until the input ends."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    for path in sys.argv[1:]:
        _open(path, _Timer(), discriminator=True)
    for encoding in ("raw-unicode-escape", "latin-1", "cp437"):
        codecs.lookup(encoding)
    watch = Watch()
    sys.addaudithook(watch.hook)
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_judge(watch=watch, **request)), flush=True)


if __name__ == "__main__":
    main()
