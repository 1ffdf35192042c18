"""What `--help` says of every command."""

import importlib
import re
import subprocess
import sys

import pytest

from squeezespan.cli import distill
from squeezespan.cli.gan import train
from squeezespan.cli.main import main
from squeezespan.cli.options import list_options
from squeezespan.cli.program import command_modules
from squeezespan.settings import as_flag

_COMMANDS = command_modules()


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_every_option_has_a_line_of_help_and_required_ones_come_first(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main([*words, "--help"]) == 0
    page = capsys.readouterr().out
    options = list_options(importlib.import_module(_COMMANDS[words]).Options)
    assert options
    places = []
    for option in options:
        name = re.escape(option.names[0])
        row = re.search(
            rf"│ (\* )? *{name}(?= )(?: --[\w.-]+)*(?P<usage>.*?)  +(?P<help>\S.*)│", page
        )
        assert row is not None, option.names[0]
        help_line = re.sub(r"\[(default: .*|required)\]", "", row["help"]).strip()
        assert len(help_line) > 5, (option.names[0], row["help"])
        places.append((not option.is_required, row.start()))
        assert ("[required]" in row["help"]) == option.is_required
    required, others = ([at for free, at in places if free is side] for side in (False, True))
    assert max(required, default=0) < min(others, default=len(page))


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_help_tells_what_a_command_does(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "-h"]) == 0
    page = capsys.readouterr().out
    summary = (importlib.import_module(_COMMANDS[words]).__doc__ or "").partition("\n")[0]
    assert page.startswith(f"Usage: squeezespan {' '.join(words)} ")
    assert summary in " ".join(page.split())


def test_help_of_a_preset_shows_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", "--preset", "squeeze-span-mini", "--help"]) == 0
    page = capsys.readouterr().out
    row = re.search(r"--student\.arch .*?\[default: (\S+)\]", page, re.S)
    assert row is not None
    assert row[1] == "resnet10-narrow"


def test_help_loads_no_torch() -> None:
    code = (
        "import sys\n"
        "from squeezespan.cli.main import main\n"
        f"for words in {[list(words) for words in _COMMANDS]}: main([*words, '--help'])\n"
        "sys.exit(sorted({'torch', 'numpy', 'pydantic'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", [distill.Options, train.Options])
def test_messages_spell_settings_as_the_options_are(options: type) -> None:
    for option in list_options(options):
        assert option.names[0] == as_flag(option.setting)
