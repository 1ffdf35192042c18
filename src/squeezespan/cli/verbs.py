"""Commands that have verbs of their own, such as `gan inspect`."""

import difflib
import importlib
from collections.abc import Mapping, Sequence

from squeezespan.errors import UserError

__all__ = ["run_verb"]


def run_verb(command: str, verbs: Mapping[str, str], argv: Sequence[str]) -> None:
    """Run `squeezespan COMMAND VERB`, or show the verbs.

    Args:
        command: its name, which is also its folder's.
        verbs: their names and what they do.
        argv: the arguments after the command's name.

    Raises:
        UserError: there is no such verb; or as the verb.
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview(command, verbs))
        return
    verb, *rest = argv
    if verb not in verbs:
        near = difflib.get_close_matches(verb, verbs, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UserError(f"unknown command {command} {verb}{hint}; it takes {', '.join(verbs)}")
    importlib.import_module(f"squeezespan.cli.{command}.{verb}").run(rest)


def _overview(command: str, verbs: Mapping[str, str]) -> str:
    width = max(map(len, verbs))
    rows = [f"  {verb:{width}}  {summary}" for verb, summary in verbs.items()]
    return "\n".join(
        [
            f"usage: squeezespan {command} VERB [OPTIONS]",
            "",
            *rows,
            "",
            f"`squeezespan {command} VERB --help` lists the options of a verb.",
        ]
    )
