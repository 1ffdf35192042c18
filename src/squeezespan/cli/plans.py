"""What a dry run prints."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from squeezespan.cli.tables import two_columns

__all__ = ["print_plan"]


def print_plan(
    plan: Mapping[str, Any],
    rows: Callable[[Mapping[str, Any]], Mapping[str, str]],
    as_json: bool,
) -> None:
    """Print what a training would do and take: all of it as JSON, or what fits on a screen.

    Args:
        plan: what `describe_run` or `describe_gan_run` gives.
        rows: makes lines of it.
        as_json: print all of it.
    """
    if as_json:
        print(json.dumps(plan, indent=2))
        return
    print("\n".join(two_columns(rows(plan))))
    print("\nNothing was written; --json prints every setting.")
