"""A command's options as a cyclopts app, for parsing, for its help and for shells to complete."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from cyclopts import App, Group, Parameter, Token

from squeezespan.cli.options import Option
from squeezespan.cli.values import read_words, takes
from squeezespan.errors import UserError
from squeezespan.field_docs import field_docs
from squeezespan.settings import range_problem

__all__ = ["HELP_FLAGS", "build_app", "given_values"]

HELP_FLAGS = ("--help", "-h")

_REQUIRED, _GENERAL = "required", "options"
_DOT = "__"
"""Stands for a setting's dots in the name of a parameter."""


def build_app(
    options: Sequence[Option], name: str, description: str, *, with_help: bool = True
) -> App:
    """Make the app of a command.

    Args:
        options: what it takes.
        name: how the user calls it.
        description: what it does.
        with_help: read what its options mean, which takes longer, from the source.
    """
    app = App(
        name=name,
        help=description,
        help_flags=HELP_FLAGS,
        version_flags=(),
        help_format="plaintext",
    )
    app[HELP_FLAGS[0]].show = False
    app.default(_signed(options, _groups(options) if with_help else None))
    return app


def given_values(bound: inspect.BoundArguments) -> dict[str, Any]:
    """Give the values that were typed, by `Option.setting`.

    Args:
        bound: as the app of `build_app` parses them.
    """
    return {name.replace(_DOT, "."): value for name, value in bound.arguments.items()}


def _signed(options: Sequence[Option], groups: Mapping[str, Group] | None) -> Callable[..., None]:
    """Make a function with a parameter for each option, which is what cyclopts reads."""

    def command(*values: object, **named: object) -> None:
        """Nothing: the values are taken, not the call."""

    command.__doc__ = None
    kinds = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_ONLY
    parameters = [
        inspect.Parameter(
            option.setting.replace(".", _DOT),
            kinds[option.is_positional],
            annotation=Annotated[option.hint, _parameter(option, groups)],
            default=inspect.Parameter.empty if option.is_required else option.default,
        )
        for option in sorted(options, key=lambda option: not option.is_positional)
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _parameter(option: Option, groups: Mapping[str, Group] | None) -> Parameter:
    described: dict[str, Any] = {}
    if groups is not None:
        shown = option.default if isinstance(option.default, tuple) else (option.default,)
        described = {
            "help": field_docs(option.owner).get(option.setting.rpartition(".")[2]),
            "group": groups[_group_of(option)],
            "metavar": takes(option.hint) or None,
            "show_default": " ".join(map(str, shown)) or False,
            "show_choices": False,
        }
    return Parameter(
        name=option.names,
        negative=option.opposite or (),
        converter=None if option.is_switch else partial(_convert, option),
        consume_multiple=True,
        allow_repeating=True,
        json_list=False,
        json_dict=False,
        **described,
    )


def _convert(option: Option, hint: Any, tokens: Sequence[Token]) -> Any:
    flag = tokens[-1].keyword or option.names[0]
    if not option.is_positional:
        # Of an option that is given twice, the last one counts.
        tokens = tokens[max(place for place, token in enumerate(tokens) if token.index == 0) :]
    words = [token.value for token in tokens]
    try:
        value = read_words(option.hint, words)
    except ValueError as error:
        raise UserError(f"{flag} takes {takes(option.hint)}, not {' '.join(words)!r}") from error
    if problem := range_problem(option.hint, value):
        raise UserError(f"{flag} {problem}")
    return value


def _group_of(option: Option) -> str:
    return _REQUIRED if option.is_required else option.setting.rpartition(".")[0] or _GENERAL


def _groups(options: Sequence[Option]) -> dict[str, Group]:
    """Give a group for each section, what is required and what has no section before them."""
    names = dict.fromkeys([_REQUIRED, _GENERAL, *map(_group_of, options)])
    owners = {_group_of(option): option.owner for option in options}
    return {
        name: Group(
            name,
            help="" if name in (_REQUIRED, _GENERAL) else inspect.getdoc(owners[name]) or "",
            sort_key=place,
        )
        for place, name in enumerate(names)
    }
