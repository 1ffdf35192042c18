"""The whole program as one cyclopts app, for what has to know all commands at once."""

import importlib
from collections.abc import Iterable

from cyclopts import App

from squeezespan.cli.apps import HELP_FLAGS, build_app
from squeezespan.cli.main import COMMANDS
from squeezespan.cli.options import list_options

__all__ = ["command_modules", "program"]

_PACKAGE = "squeezespan.cli"


def command_modules() -> dict[tuple[str, ...], str]:
    """Give the module of each command by the words that call it, such as `("gan", "train")`."""
    modules: dict[tuple[str, ...], str] = {}
    for name in COMMANDS:
        module = importlib.import_module(f"{_PACKAGE}.{name}")
        for verb in getattr(module, "VERBS", ()):
            modules[name, verb] = f"{_PACKAGE}.{name}.{verb}"
        if hasattr(module, "Options"):
            modules[(name,)] = module.__name__
    return modules


def program() -> App:
    """Make the app, with the options of each command as its module's `Options` has them."""
    apps: dict[tuple[str, ...], App] = {(): _group("squeezespan", ())}
    for words, name in command_modules().items():
        module = importlib.import_module(name)
        above = words[:-1]
        if above not in apps:
            apps[above] = _group(above[-1], above)
            apps[above[:-1]].command(apps[above])
        options = list_options(module.Options)
        apps[above].command(build_app(options, words[-1], module.__doc__ or ""))
    return apps[()]


def _group(name: str, words: Iterable[str]) -> App:
    summary = importlib.import_module(".".join((_PACKAGE, *words))).__doc__ or ""
    return App(
        name=name, help=summary, help_flags=HELP_FLAGS, version_flags=(), help_format="plaintext"
    )
