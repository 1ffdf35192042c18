"""Lines about a data set that a user should know and that stop nothing."""

import functools
import sys

from squeezespan.losses.gather import global_rank

__all__ = ["say_once"]


@functools.cache
def say_once(line: str) -> None:
    """Print a line on stderr, on the main process, the first time that it is said."""
    if global_rank() == 0:
        print(line, file=sys.stderr)
