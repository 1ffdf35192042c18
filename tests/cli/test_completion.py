"""What a shell completes, asked of bash itself, and that the scripts know the whole program."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from squeezespan.cli.main import COMMANDS, main
from squeezespan.cli.options import list_options
from squeezespan.cli.program import command_modules


@pytest.fixture(scope="module")
def bash_script() -> str:
    """The script for bash, made in a process that must not load torch."""
    code = (
        "import sys\n"
        "from squeezespan.cli.main import main\n"
        "code = main(['completion', 'bash'])\n"
        "sys.exit(code or sorted({'torch', 'numpy', 'pydantic'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("squeezespan ", {*COMMANDS}),
        ("squeezespan di", {"distill"}),
        ("squeezespan gan ", {"inspect", "convert", "sample", "train", "score"}),
        ("squeezespan distill --method.al", {"--method.alpha"}),
        (
            "squeezespan distill --method.name ",
            {"squeeze-span", "vicreg", "simsiam", "emp-ssl", "encoding"},
        ),
        ("squeezespan distill --augment.no", {"--augment.no-enabled"}),
        ("squeezespan gan train --epochs 3 --resu", {"--resume"}),
        ("squeezespan probe --protocol lo", {"logistic"}),
        ("squeezespan completion ", {"bash", "zsh", "fish"}),
    ],
)
def test_bash_completes(line: str, expected: set[str], bash_script: str) -> None:
    words = line.split(" ")
    ask = (
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
        f"COMP_LINE={line!r}; COMP_POINT={len(line)}\n"
        "_squeezespan squeezespan\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{bash_script}\n{ask}"], capture_output=True, text=True, check=True
    )
    offered = {word.strip() for word in done.stdout.splitlines() if word.strip()}
    assert offered - {"--help", "-h"} == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_has_every_command_and_option(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for words, module in command_modules().items():
        assert words[-1] in script
        for option in list_options(importlib.import_module(module).Options):
            for flag in option.flags if not option.is_positional else ():
                spelt = flag.removeprefix("--") if shell == "fish" else flag
                assert spelt in script, flag


def test_installing_writes_where_the_shell_looks(tmp_path: Path, bash_script: str) -> None:
    home = {**os.environ, "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    for option in ("--install-completion", "completion --install"):
        done = subprocess.run(
            [sys.executable, "-m", "squeezespan", *option.split(), "bash"],
            capture_output=True,
            text=True,
            env=home,
            check=True,
        )
        script = Path(done.stdout.splitlines()[0])
        assert script.is_relative_to(tmp_path)
        assert script.read_text(encoding="utf-8").strip() == bash_script.strip()
        start_up = (tmp_path / ".bashrc").read_text(encoding="utf-8").splitlines()
        assert len([line for line in start_up if str(script) in line]) == 1


def test_an_unknown_shell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert capsys.readouterr().err == (
        "squeezespan: error: SHELL takes {bash,zsh,fish}|None, not 'tcsh'; "
        "`squeezespan completion --help` lists the options\n"
    )
