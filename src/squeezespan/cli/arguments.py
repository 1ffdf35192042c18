"""Options of a command from a dataclass, with one clear line for whatever is wrong with them.

cyclopts sorts words into options and writes the help; of an error it gives the class and the
option, and the line is written here.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError

from squeezespan.cli.apps import HELP_FLAGS, build_app, given_values
from squeezespan.cli.options import Option, fill, list_options
from squeezespan.cli.values import takes
from squeezespan.errors import UserError
from squeezespan.field_docs import field_docs

__all__ = ["parse"]

_Options = TypeVar("_Options")

_BOOLEANS = {"true", "false", "yes", "no", "on", "off", "0", "1"}


def parse(
    options_type: type[_Options],
    argv: Sequence[str],
    *,
    prog: str,
    description: str,
    default: object = None,
) -> _Options:
    """Fill a dataclass from command-line arguments; `squeezespan.cli.options` says how it is read.

    Args:
        options_type: the dataclass.
        argv: the arguments after the command's name.
        prog: how the user calls the command, for help and messages.
        description: what the command does, for the help.
        default: has the values of what `argv` leaves out, by the names of fields, such as an
            instance of the settings that `options_type` extends; fields that it lacks have the
            dataclass's defaults, and are required where there is none.

    Returns:
        An instance of `options_type`.

    Raises:
        UserError: an option that doesn't exist (the message suggests one), a value that an option
            can't take, or a required option left out.
        SystemExit: with code 0, after `--help`.
    """
    options = list_options(options_type, default)
    if any(flag in argv for flag in HELP_FLAGS):
        build_app(options, prog, description).help_print([])
        raise SystemExit(0)
    words = [_dashed(word) for word in argv]
    given = _sort(words)
    by_flag = {flag: option for option in options for flag in option.flags}
    try:
        _check_flags(given, by_flag)
        app = build_app(options, prog, description, with_help=False)
        bound = app.parse_args(words, exit_on_error=False, print_error=False)[1]
    except (CycloptsError, UserError) as error:
        problem = _explain(error, given, by_flag) if isinstance(error, CycloptsError) else error
        raise UserError(f"{problem}; `{prog} --help` lists the options") from error
    return fill(options_type, default, given_values(bound))


def _dashed(word: str) -> str:
    """Spell an option with dashes, `--max_steps` as `--max-steps`."""
    name, equals, value = word.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if name.startswith("--") else word


def _sort(words: Sequence[str]) -> dict[str, list[str]]:
    """Give each option and the words that follow it; before the first one, they follow ``."""
    found: list[str] = []
    given = {"": found}
    for word in words:
        if word == "--":
            break
        if word == "-" or (word.startswith("-") and word[1].strip("0123456789.")):
            name, equals, value = word.partition("=")
            found = given[name] = [value] if equals else []
        else:
            found.append(word)
    return given


def _check_flags(given: Mapping[str, list[str]], by_flag: Mapping[str, Option]) -> None:
    """Refuse what cyclopts would take for something else."""
    for flag, words in given.items():
        if not flag:
            continue
        if flag not in by_flag:
            raise UserError(f"unknown option {flag}{_suggestion(flag, list(by_flag))}")
        if words == [""]:
            raise UserError(f"{flag} is empty")
        if by_flag[flag].is_switch and words and words[0].lower() in _BOOLEANS:
            raise UserError(_takes_no_value(by_flag[flag]))


def _explain(
    error: CycloptsError, given: Mapping[str, list[str]], by_flag: Mapping[str, Option]
) -> str:
    """Say in one line what cyclopts found."""
    option = by_flag.get(error.argument.name) if error.argument else None
    if isinstance(error, MissingArgumentError) and option is not None:
        flag = next((flag for flag in option.names if flag in given), None)
        usage = takes(option.hint)
        if flag is not None:
            value = " ".join(given[flag])
            return f"{flag} takes {usage}, not {value!r}" if value else f"{flag} needs {usage}"
        if option.is_positional:
            meaning = field_docs(option.owner).get(option.setting, "").rstrip(".")
            return f"an argument is missing: {option.names[0]} ({meaning})"
        return f"{option.names[0]} {usage} is required"
    if option is not None and option.is_switch:
        return _takes_no_value(option)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        word = error.unused_tokens[0]
        for flag, words in given.items():
            if flag and word in words:
                if by_flag[flag].is_switch:
                    return f"unexpected argument {word!r}: {_takes_no_value(by_flag[flag])}"
                return f"{flag} takes {takes(by_flag[flag].hint)}, not {' '.join(words)!r}"
        return f"unexpected argument {word!r}"
    return str(error)


def _takes_no_value(option: Option) -> str:
    return f"{option.names[0]} takes no value: write {' or '.join(option.flags)}"


def _suggestion(flag: str, known: list[str]) -> str:
    name = flag.removeprefix("--")
    same_key = [
        other
        for other in known
        if other.endswith(f".{name}") or name.endswith(f".{other.removeprefix('--')}")
    ]
    near = difflib.get_close_matches(flag, known, n=1, cutoff=0.75)
    best = same_key if len(same_key) == 1 else near
    return f" (did you mean {best[0]}?)" if best else ""
