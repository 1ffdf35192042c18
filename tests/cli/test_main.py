"""The program as a shell sees it: output, exit codes, signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squeezespan import __version__
from squeezespan.cli.main import main

_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}

Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Start the program with a command `demo` that has the given body."""

    def start(body: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        lines = ['"""Shows it all."""', "def run(argv):", *(f"    {x}" for x in body.splitlines())]
        (tmp_path / "demo.py").write_text("\n".join(lines), encoding="utf-8")
        launch = (
            "import signal, sys, squeezespan.cli\n"
            # A shell that runs the tests in its background lets them ignore Ctrl-C.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            f"squeezespan.cli.__path__.insert(0, {str(tmp_path)!r})\n"
            "from squeezespan.cli.main import main\n"
            "sys.exit(main())"
        )
        return subprocess.Popen(
            [sys.executable, "-c", launch, *arguments],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            text=True,
            env=_ENVIRONMENT,
        )

    return start


def _finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_overview_lists_commands_with_their_summaries(
    program: Program, arguments: tuple[str, ...]
) -> None:
    code, out, err = _finish(program("pass", *arguments))
    assert code == 0
    assert err == ""
    assert "demo" in out
    assert "Shows it all." in out


def test_version(program: Program) -> None:
    assert _finish(program("pass", "--version")) == (0, f"squeezespan {__version__}\n", "")


def test_overview_does_not_load_torch() -> None:
    check = (
        "import sys\n"
        "from squeezespan.cli.main import main\n"
        "main(['--help'])\n"
        "print(sorted({'torch', 'numpy', 'cyclopts'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, env=_ENVIRONMENT, check=True
    )
    assert done.stdout.endswith("[]\n")


def test_command_gets_the_rest_of_the_arguments(program: Program) -> None:
    code, out, _ = _finish(program("print(argv)", "demo", "--out", "x"))
    assert (code, out) == (0, "['--out', 'x']\n")


def test_unknown_command_suggests_one(program: Program) -> None:
    code, out, err = _finish(program("pass", "dmeo"))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "unknown command dmeo (did you mean demo?)" in err


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            "from squeezespan.errors import UserError\nraise UserError('no such\\nfile')",
            2,
            "squeezespan: error: no such file\n",
        ),
        (
            "from squeezespan.errors import StorageError\nraise StorageError('no room')",
            1,
            "squeezespan: error: no room\n",
        ),
        (
            "from squeezespan.errors import TrainingError\nraise TrainingError('not a number')",
            1,
            "squeezespan: error: not a number\n",
        ),
        (
            "import errno\nraise OSError(errno.ENOSPC, 'No space left', 'runs/x')",
            1,
            "squeezespan: error: could not write runs/x: No space left\n",
        ),
        (
            "import errno\nraise PermissionError(errno.EACCES, 'Permission denied', 'runs/x')",
            2,
            "squeezespan: error: cannot use runs/x: Permission denied\n",
        ),
        (
            "open('a' * 300)",
            2,
            f"squeezespan: error: cannot use {'a' * 120}...: File name too long\n",
        ),
        (
            "import torch\ntorch.empty(2**60)",
            1,
            "squeezespan: error: out of memory; try a smaller --batch-size, a smaller model or "
            "--device cpu",
        ),
        ("raise KeyboardInterrupt", 130, "squeezespan: interrupted\n"),
        ("raise SystemExit(143)", 143, "squeezespan: terminated\n"),
        ("raise SystemExit(0)", 0, ""),
        ("raise SystemExit('gone')", 1, "squeezespan: error: gone\n"),
    ],
)
def test_endings_have_their_code_and_one_line(
    program: Program, body: str, code: int, message: str
) -> None:
    found, out, err = _finish(program(body, "demo"))
    assert (found, out, err[: len(message)], err.count("\n")) == (code, "", message, bool(message))


@pytest.mark.parametrize("command", ["distill", "gan train", "gan score", "gan sample", "probe"])
def test_no_arguments_are_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_names_of_files_are_printed_as_they_are_and_told_on_one_line(
    program: Program, tmp_path: Path
) -> None:
    body = "print('caf\\udce9')\nfrom squeezespan.errors import UserError\n"
    body += "raise UserError('no \\x1b[2J image\\n\\udce9')"
    with (tmp_path / "out").open("wb") as out:
        code, _, err = _finish(program(body, "demo", stdout=out))
    assert (tmp_path / "out").read_bytes() == b"caf\xe9\n"
    assert (code, err) == (2, "squeezespan: error: no \\x1b[2J image \\udce9\n")


def test_defect_keeps_its_traceback(program: Program) -> None:
    code, _, err = _finish(program("1 / 0", "demo"))
    assert code == 1
    assert err.startswith("Traceback")
    assert "ZeroDivisionError" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_unwinds_the_command(program: Program, number: int, code: int) -> None:
    body = (
        "import time\ntry:\n  print('up', flush=True)\n  time.sleep(30)\nfinally:\n  print('tidy')"
    )
    process = program(body, "demo")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    ended, out, err = _finish(process)
    assert (ended, out) == (code, "tidy\n")
    assert "Traceback" not in err


def test_reader_that_leaves_is_no_error(program: Program) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = program("for i in range(100000): print(i)", "demo", stdout=write_end)
    os.close(write_end)
    _, _, err = _finish(process)
    assert err == ""
