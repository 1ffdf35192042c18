"""Lines about a data set that a user should know and that stop nothing."""

import functools
import sys

from squeezespan.losses.gather import global_rank
from squeezespan.untrusted.wording import on_one_line

__all__ = ["say", "say_once"]


def say(line: str) -> None:
    """Print a line on stderr, on the main process."""
    if global_rank() == 0:
        print(on_one_line(line), file=sys.stderr)


@functools.cache
def say_once(line: str) -> None:
    """Print a line as `say` does, the first time that it is said: sources are opened often."""
    say(line)
