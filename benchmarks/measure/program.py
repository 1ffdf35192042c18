"""A benchmark's `main` as a program."""

import sys
from collections.abc import Callable
from pathlib import Path

from cyclopts import App, Parameter

from squeezespan.errors import UserError

__all__ = ["run_program"]


def run_program(main: Callable[..., None]) -> None:
    """Call a benchmark with the options that were typed.

    Args:
        main: its arguments are the options.

    Raises:
        SystemExit: at the end; with a line of text where what was asked for can't be done.
    """
    several = Parameter(consume_multiple=True, negative_iterable=())
    app = App(default_parameter=several, help_format="plaintext", version_flags=())
    app.default(main)
    try:
        app(sys.argv[1:])
    except UserError as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: error: {error}")
