"""Options of a command from a dataclass, with one clear line for whatever is wrong with them.

tyro parses and writes the help; its boxed errors are read here and said again in one line.
"""

import contextlib
import difflib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import tyro

from squeezespan.errors import UserError

__all__ = ["begin_with", "parse", "peek"]

Options = TypeVar("Options")

_DECORATION = re.compile(r"\x1b\[[0-9;]*m|[│╭╮╰╯]")
_OPTION_ROW = re.compile(r"^\s*(-\S.*?)(?:\s{2,}.*)?$")
_FLAG = re.compile(r"--[A-Za-z][\w.-]*")
_POSITIONAL = re.compile(r"^Missing from .*?: STR (.*?)\.? \(required\)")
_BOOLEANS = {"true", "false", "yes", "no", "on", "off", "0", "1"}


def parse(
    options_type: type[Options],
    argv: Sequence[str],
    *,
    prog: str,
    description: str,
    default: Options | None = None,
) -> Options:
    """Fill a dataclass from command-line arguments.

    A nested dataclass gives `--section.key VALUE`; one annotated with
    `Annotated[Section, tyro.conf.arg(name="")]` gives `--key VALUE`.

    Args:
        options_type: the dataclass.
        argv: the arguments after the command's name.
        prog: how the user calls the command, for help and messages.
        description: what the command does, for the help.
        default: values of what `argv` leaves out; a field that is `tyro.MISSING` is required.

    Returns:
        An instance of `options_type`.

    Raises:
        UserError: an option that doesn't exist (the message suggests one), a value that an option
            can't take, or a required option left out.
        SystemExit: with code 0, after `--help`.
    """

    def run(arguments: Sequence[str]) -> Options:
        return tyro.cli(
            options_type,
            prog=prog,
            description=description,
            args=arguments,
            default=tyro.MISSING_NONPROP if default is None else default,
        )

    for option, values in _given_values(argv).items():
        if values == [""]:
            raise UserError(f"{option} is empty; `{prog} --help` lists the options")
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return run(argv)
    except SystemExit as end:
        if not end.code:
            raise
    page = io.StringIO()
    with (
        _one_column(),
        contextlib.redirect_stdout(page),
        contextlib.suppress(SystemExit),
    ):
        run(["--help"])
    problem = _explain(argv, _usages(page.getvalue()), complaint.getvalue())
    raise UserError(f"{problem}; `{prog} --help` lists the options")


def peek(argv: Sequence[str], option: str) -> str | None:
    """Give the value of `option` in `argv`, None if absent, before the arguments are parsed.

    For an option such as `--preset` that decides the defaults of all others.
    """
    value = None
    for token, following in zip(argv, [*argv[1:], None], strict=False):
        name, equals, attached = token.partition("=")
        if name == option:
            value = attached if equals else following
    return value


def begin_with(
    argv: Sequence[str],
    default: Options,
    *,
    preset: Callable[[str], Options],
    file: Callable[[Path], Options],
    run: Callable[[Path], Options],
) -> Options:
    """Give the settings that a training's options change, before the arguments are parsed.

    Args:
        argv: the arguments after the command's name.
        default: where `argv` names nothing to begin with.
        preset: gives the settings of `--preset`.
        file: reads those of `--config`.
        run: reads those of the run in `--out` that `--resume` continues.

    Raises:
        UserError: both a preset and a file, or one that is not usable.
    """
    name, config, out = (peek(argv, option) for option in ("--preset", "--config", "--out"))
    if name is not None and config is not None:
        raise UserError("--preset and --config both give the settings; give one of them")
    if name is not None:
        return preset(name)
    if config is not None:
        return file(Path(config))
    if "--resume" in argv and out is not None and (Path(out) / "config.json").exists():
        return run(Path(out))
    return default


@contextlib.contextmanager
def _one_column() -> Iterator[None]:
    """Keep tyro from setting the help in columns on a wide terminal."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "120"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _usages(page: str) -> dict[str, str]:
    """Read each option and how it is written (`--epochs INT`) off a help page."""
    usages: dict[str, str] = {}
    for line in page.splitlines():
        row = _OPTION_ROW.match(_DECORATION.sub("", line))
        if row:
            usage = row[1].replace("{None}|", "")
            usages |= dict.fromkeys(_FLAG.findall(usage), usage)
    return usages


def _explain(argv: Sequence[str], usages: dict[str, str], complaint: str) -> str:
    given = _given_values(argv)
    for option, values in given.items():
        if option not in usages:
            return f"unknown option {option}{_suggestion(option, list(usages))}"
        is_switch = not _FLAG.sub("", usages[option]).strip(" ,")
        if is_switch and values and values[0].lower() in _BOOLEANS:
            return f"{option} takes no value: write {usages[option].replace(', ', ' or ')}"
    text = _condense(complaint)
    for option in _FLAG.findall(text):
        # Of `--label, --classes [INT ...]`, what all spellings take.
        spelt = _FLAG.sub("", usages.get(option, "")).split(", ")
        takes = next(filter(None, (part.strip() for part in spelt)), "")
        if option in given and takes:
            value = " ".join(given[option])
            return f"{option} takes {takes}, not {value!r}" if value else f"{option} needs {takes}"
        if option not in given and text.lower().startswith("missing"):
            return f"{usages.get(option, option)} is required"
    positional = _POSITIONAL.search(text)
    if positional:
        return f"an argument is missing: {positional[1]}"
    return text or "the options can't be understood"


def _given_values(argv: Sequence[str]) -> dict[str, list[str]]:
    """Sort `argv` into options, in tyro's spelling, and what follows each."""
    given: dict[str, list[str]] = {}
    values: list[str] = []
    for token in argv:
        if token == "--":
            break
        if token.startswith("--"):
            name, equals, attached = token.partition("=")
            values = given[name.replace("_", "-")] = [attached] if equals else []
        else:
            values.append(token)
    return given


def _suggestion(option: str, known: list[str]) -> str:
    name = option.removeprefix("--")
    same_key = [
        other
        for other in known
        if other.endswith(f".{name}") or name.endswith(f".{other.removeprefix('--')}")
    ]
    near = difflib.get_close_matches(option, known, n=1, cutoff=0.75)
    best = same_key if len(same_key) == 1 else near
    return f" (did you mean {best[0]}?)" if best else ""


def _condense(complaint: str) -> str:
    """Give the first part of a boxed message, without box and title, as one line."""
    rows = [_DECORATION.sub("", line).strip() for line in complaint.splitlines()[1:]]
    words: list[str] = []
    for row in rows:
        is_rule = len(row) > 1 and not row.strip("─-")
        if words and (is_rule or row.startswith("Got errors")):
            break
        if not is_rule:
            words += row.split()
    return " ".join(words)
