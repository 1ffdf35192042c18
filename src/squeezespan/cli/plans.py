"""What a dry run prints."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from squeezespan.cli.tables import two_columns
from squeezespan.errors import UserError

__all__ = ["check_json", "print_plan"]


def check_json(as_json: bool, dry_run: bool) -> None:
    """Refuse `--json` where no plan is printed.

    Raises:
        UserError: it is given without `--dry-run`.
    """
    if as_json and not dry_run:
        raise UserError("--json is for --dry-run: give both or neither")


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
