"""Opening untrusted files in a process of their own that lives as long as they let it."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

__all__ = ["Opener", "Outcome", "problem"]

MAX_SECONDS = 2.0
MAX_BYTES = 1 << 30
_TESTS = Path(__file__).resolve().parents[1]
_PATIENCE = 900.0
"""Seconds without an answer after which a process is given up, on however slow a machine."""


@dataclass(frozen=True)
class Outcome:
    """What opening a file led to."""

    kind: Literal["loaded", "refused", "escaped", "died"]
    """`refused` is a UserError, `escaped` any other exception, `died` the end of the process."""
    message: str = ""
    seconds: float = 0.0
    """Of the processor."""
    wall_seconds: float = 0.0
    bytes: int = 0
    """Peak of the memory in use, beyond what was in use before."""
    events: Sequence[str] = ()
    """What Python reported to audit hooks beyond reading the file, and files that were left."""


def problem(outcome: Outcome) -> str | None:
    """Tell what is wrong with an outcome; None for nothing."""
    if outcome.kind in ("escaped", "died"):
        return f"{outcome.kind}: {outcome.message}"
    if outcome.events:
        return f"it did {', '.join(outcome.events)}"
    if outcome.seconds > MAX_SECONDS:
        return f"it took {outcome.seconds:.1f} s"
    if outcome.bytes > MAX_BYTES:
        return f"it took {outcome.bytes >> 20} MiB"
    if not outcome.message.isprintable() or len(outcome.message) > 1000:
        return f"its message is not one line: {outcome.message[:300]!a}"
    return None


class Opener:
    """Opens files, one after the other.

    Args:
        valid: files that are opened first, so that nothing is imported for the first time later.
    """

    def __init__(self, valid: Sequence[Path]) -> None:
        self._valid = valid
        self._scratch = tempfile.TemporaryDirectory()
        # So deep that a name that climbs out of it still stays in the scratch folder.
        self._folder = Path(self._scratch.name) / "a" / "b" / "c" / "d"
        self._folder.mkdir(parents=True)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        self._scratch.cleanup()

    def open(self, path: Path, *, discriminator: bool = True) -> Outcome:
        """Open a file's generator, and its discriminator if asked, and tell what it did."""
        process = self._process or self._start()
        self._process = process
        assert process.stdin
        request = {"path": str(path), "discriminator": discriminator}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        answer = self._answer(process)
        if answer is None:
            process.kill()
            code = process.wait()
            self.close()
            return Outcome("died", f"the process ended with {code}")
        found = Outcome(**json.loads(answer))
        left = [str(x) for x in self._folder.parents[3].rglob("*") if x.is_file()]
        return replace(found, events=[*found.events, *left]) if left else found

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> "subprocess.Popen[str]":
        # A list of folders in the environment, as the tests' helpers are no installed package.
        paths = [str(_TESTS), str(_TESTS.parent / "src"), os.environ.get("PYTHONPATH", "")]
        process = subprocess.Popen(
            [sys.executable, "-m", "untrusted.worker", *map(str, self._valid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "OMP_NUM_THREADS": "1",
                "TMPDIR": str(self._folder),
            },
        )
        if self._answer(process) != "ready\n":
            process.kill()
            process.communicate()
            raise RuntimeError("the process that opens files did not start")
        return process

    @staticmethod
    def _answer(process: "subprocess.Popen[str]") -> str | None:
        assert process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(_PATIENCE):
                return None
        return process.stdout.readline() or None
