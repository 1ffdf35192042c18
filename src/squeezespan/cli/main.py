"""The `squeezespan` program: runs a command and turns how it ended into an exit code."""

import ast
import contextlib
import difflib
import errno
import importlib
import importlib.util
import io
import os
import select
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib.abc import InspectLoader
from types import FrameType
from typing import NoReturn

from squeezespan import __version__
from squeezespan.errors import StorageError, TrainingError, UserError
from squeezespan.untrusted.wording import on_one_line

__all__ = ["COMMANDS", "main"]

# A command is a module `squeezespan.cli.<name>` with `run(argv)` and a dataclass `Options`; the
# first line of its docstring stands in the overview.
COMMANDS = (
    "demo",
    "distill",
    "presets",
    "probe",
    "transfer",
    "finetune",
    "embed",
    "report",
    "export",
    "gan",
    "analyze",
    "reproduce",
    "completion",
)

_FIRST_STEPS = {
    "demo": "squeezespan demo",
    "distill": "squeezespan distill --preset squeeze-span-mini --out runs/first",
    "probe": "squeezespan probe runs/first --data builtin:cifar10-mini --protocol knn",
}

_INSTALL = "--install-completion"
"""As programs made with click and typer call it."""

_UNUSABLE_PATH = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)
"""What makes a path that the user gave unusable."""

_MEMORY_ERRORS = ("MemoryError", "OutOfMemoryError")

_EXIT_FAILED = 1
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130
_EXIT_TERMINATED = 143


def main(argv: list[str] | None = None) -> int:
    """Run the program.

    An error that is no fault of the user's or the machine's leaves as it is, with its traceback.

    Args:
        argv: the arguments after the program's name; those of the process if None.

    Returns:
        0 done, 2 what the user gave is wrong, 1 the training or the storing of its result failed,
        130 or 143 stopped by SIGINT or SIGTERM. A command that handles a signal itself ends with
        KeyboardInterrupt or SystemExit(143).
    """
    arguments = sys.argv[1:] if argv is None else argv
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files are printed as the bytes that they are, in whatever encoding.
        sys.stdout.reconfigure(errors="surrogateescape")
    # Pillow's, of several lines; such images are skipped with a line of our own.
    warnings.filterwarnings("ignore", "Image size .* could be decompression bomb")
    try:
        with _sigterm_raises():
            _dispatch(arguments)
            sys.stdout.flush()
    except UserError as error:
        return _end(f"error: {error}", _EXIT_USAGE)
    except (StorageError, TrainingError) as error:
        return _end(f"error: {error}", _EXIT_FAILED)
    except KeyboardInterrupt:
        return _end("interrupted", _EXIT_INTERRUPTED)
    except SystemExit as end:
        return _exit_code(end)
    except OSError as error:
        return _fail_on_machine(error)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        advice = "try a smaller --batch-size, a smaller model or --device cpu"
        return _end(f"error: out of memory; {advice}: {str(error)[:160]}", _EXIT_FAILED)
    return 0


def _dispatch(arguments: list[str]) -> None:
    available = _available()
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview(available))
        return
    name, *rest = arguments
    if name == _INSTALL:
        name, rest = "completion", ["--install", *rest]
    if name in ("-V", "--version"):
        print(f"squeezespan {__version__}")
        return
    if name not in available:
        near = difflib.get_close_matches(name, available, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        kind = "option" if name.startswith("-") else "command"
        raise UserError(f"unknown {kind} {name}{hint}; `squeezespan --help` lists the commands")
    importlib.import_module(f"squeezespan.cli.{name}").run(rest)


def _available() -> dict[str, str]:
    """Give each command and its summary, read from its source because importing takes longer."""
    summaries = {}
    for name in COMMANDS:
        spec = importlib.util.find_spec(f"squeezespan.cli.{name}")
        if spec is not None and isinstance(spec.loader, InspectLoader):
            source = spec.loader.get_source(spec.name) or ""
            docstring = ast.get_docstring(ast.parse(source)) or ""
            summaries[name] = docstring.partition("\n")[0]
    return summaries


def _overview(available: dict[str, str]) -> str:
    width = max(map(len, available), default=0)
    commands = [f"  {name:{width}}  {summary}" for name, summary in available.items()]
    steps = [f"  {example}" for name, example in _FIRST_STEPS.items() if name in available]
    lines = [
        "usage: squeezespan COMMAND [OPTIONS]",
        "",
        "Turn a pretrained GAN generator into an image backbone, without labels.",
        "",
        "commands:",
        *commands,
        "",
        *(["to start with:", *steps, ""] if steps else []),
        "`squeezespan COMMAND --help` lists the options of a command.",
        "`squeezespan --install-completion` lets your shell complete them.",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that files and child processes are cleaned up."""

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(_EXIT_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(message: str, code: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"squeezespan: {on_one_line(message)}", file=sys.stderr, flush=True)
    return code


def _exit_code(end: SystemExit) -> int:
    if end.code == _EXIT_TERMINATED:
        return _end("terminated", _EXIT_TERMINATED)
    if isinstance(end.code, str):
        return _end(f"error: {end.code}", _EXIT_FAILED)
    return end.code or 0


def _fail_on_machine(error: OSError) -> int:
    """Say what the file system refused, or end quietly where the reader of our output has left."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        where = f"could not write {error.filename}: " if error.filename else ""
        return _end(f"error: {where}{error.strerror}", _EXIT_FAILED)
    if error.errno in _UNUSABLE_PATH and error.filename:
        shown = str(error.filename)
        shown = shown if len(shown) < 120 else f"{shown[:120]}..."
        return _end(f"error: cannot use {shown}: {error.strerror}", _EXIT_USAGE)
    if isinstance(error, BrokenPipeError) and _reader_has_left():
        return _EXIT_FAILED
    raise error


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell without importing torch, whose CPU allocator has no error of its own."""
    names = {cls.__name__ for cls in type(error).__mro__}
    return "can't allocate memory" in str(error) or not names.isdisjoint(_MEMORY_ERRORS)


def _reader_has_left() -> bool:
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    if not poller.poll(0):
        return False
    # The interpreter flushes once more at its end and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True
